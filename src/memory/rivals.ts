/**
 * Things of which a project uses one at a time, as a rule: who moves to one has left the other, also when nobody names it. A short
 * list of what is common beats a guess; what is not in it is told apart by its words alone.
 */
export const RIVALS: readonly ReadonlySet<string>[] = [
  "jquery react preact vue angular angularjs svelte solid solidjs ember backbone htmx lit",
  "npm yarn pnpm bun",
  "jest vitest mocha jasmine ava karma",
  "webpack vite rollup parcel esbuild turbopack rspack gulp grunt",
  "eslint tslint biome oxlint jshint",
  "pip pipenv poetry uv conda pdm",
  "pytest unittest nose",
  "flake8 ruff pylint",
  "postgres postgresql mysql mariadb sqlite mssql oracle cockroachdb",
  "mongodb dynamodb couchdb cassandra",
  "prisma typeorm sequelize drizzle knex kysely",
  "jenkins circleci travis gitlab buildkite github teamcity",
  "docker podman",
  "maven gradle bazel ant",
  "express fastify koa hono nestjs",
  "django flask fastapi",
  "redux zustand mobx recoil jotai",
  "cypress playwright selenium puppeteer",
  "terraform pulumi cloudformation",
  "svn mercurial git",
].map((line) => new Set(line.split(" ")));
