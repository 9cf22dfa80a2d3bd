/** Memories, with the index over their words. */
import type { Migration } from "./migration.ts";

export const migration3: Migration = {
  version: 3,
  statements: [
    // Room in each page: a use changes no index, and then the row stays in its page.
    `CREATE TABLE memories (
      row bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      principal text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      kind text COLLATE "C" NOT NULL,
      scope text COLLATE "C" NOT NULL,
      project text COLLATE "C" NOT NULL,
      state text COLLATE "C" NOT NULL,
      created_at bigint NOT NULL,
      used_at bigint NOT NULL,
      uses bigint NOT NULL,
      body text COLLATE "C" NOT NULL,
      words tsvector NOT NULL,
      UNIQUE (tenant, id)
    ) WITH (fillfactor = 70)`,
    `CREATE INDEX memories_by_place ON memories (tenant, scope, project, principal)`,
    // Without a list of what is to be indexed later: what is forgotten is to be in one place.
    `CREATE INDEX memories_by_word ON memories USING gin (words) WITH (fastupdate = off)`,
  ],
};
