/**
 * What the command's bundle does beyond esbuild's own: all of it is about the start of `belay run`.
 *
 * P1: a plugin that no longer fits what it works on fails the build; it never ships something else silently.
 */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import type { Plugin } from "esbuild";

const WORK = "belay:work";
/** Loaded for one command only, and large: they stay chunks of their own. */
const APART = [/\/testing\//, /\/cli\/program\.ts$/, /\/cli\/failure\.ts$/];
const DYNAMIC_IMPORT = /\bimport\("(\.[^"]+\.ts)"\)/g;

/**
 * Everything that the command files import when they run becomes one chunk. Left alone, each of these imports is an entry of
 * its own and esbuild cuts the code they share into seventy small files: loading those takes longer than running them.
 */
export function oneWorkChunk(cli: string): Plugin {
  const targets = dynamicTargets(cli);
  return {
    name: "one-work-chunk",
    setup(build) {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind !== "dynamic-import") return null;
        return targets.includes(resolve(resolveDir, path)) ? { path: WORK, namespace: WORK } : null;
      });
      build.onLoad({ filter: /.*/, namespace: WORK }, () => {
        const lines = targets.map((path) => `export * from ${JSON.stringify(`./${relative(cli, path)}`)};`);
        return { contents: lines.join("\n"), loader: "ts", resolveDir: cli };
      });
    },
  };
}

/** The files below `cli` that are imported when needed, as absolute paths. */
function dynamicTargets(cli: string): readonly string[] {
  const files = readdirSync(cli, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const found = files
    .filter((name) => name !== "guard.ts")
    .flatMap((name) => {
      const path = join(cli, name);
      return [...readFileSync(path, "utf8").matchAll(DYNAMIC_IMPORT)].map(([, to = ""]) => resolve(dirname(path), to));
    });
  return [...new Set(found)].filter((path) => !APART.some((apart) => apart.test(path))).sort();
}

const BUILTIN = "belay:builtin";
const WORD = /^[A-Za-z_$][\w$]*$/;

/**
 * The runtime's own modules, taken as they are. An `import` of one makes a module around it, and for that asks for everything
 * that it exports, also for what is only loaded when it is asked for: streams, decoders, half of the web's cryptography.
 */
export function builtinsAsTheyAre(): Plugin {
  return {
    name: "builtins-as-they-are",
    setup(build) {
      build.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
        const name = path.replace(/^node:/, "");
        if (kind !== "import-statement" || !builtinModules.includes(name)) return null;
        return { path: `node:${name}`, namespace: BUILTIN, sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace: BUILTIN }, async ({ path }) => ({
        contents: builtinSource(path, Object.keys((await import(path)) as object)), // a module is an object
        loader: "js",
      }));
    },
  };
}

/** Each name is looked up when the module that uses it is loaded, and only where one does. */
function builtinSource(path: string, names: readonly string[]): string {
  const named = names.filter((name) => WORD.test(name) && name !== "default");
  return [
    `const builtin = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)});`,
    "const member = (name) => builtin[name];",
    "export default builtin;",
    ...named.map((name) => `const _${name} = /* @__PURE__ */ member("${name}"); export { _${name} as ${name} };`),
  ].join("\n");
}

/** Packages of providers that are bundled by themselves, and the files they become beside the chunks. */
export const APART_PACKAGES: Readonly<Record<string, string>> = {
  "@ai-sdk/google": "ai-sdk-google",
  "@ai-sdk/openai-compatible": "ai-sdk-openai-compatible",
};

/**
 * These packages use all of zod, languages and all. Bundled with the command they would have it load all of that too, at
 * every start, because a module that two chunks need is in a chunk once.
 */
export function packagesApart(): Plugin {
  return {
    name: "packages-apart",
    setup(build) {
      build.onResolve({ filter: /^@ai-sdk\// }, ({ path, kind }) => {
        const file = APART_PACKAGES[path];
        // P1: a static import would load it at the start.
        if (file === undefined || kind !== "dynamic-import")
          return { errors: [{ text: `${path} is imported, and not as a package that is loaded when it is needed` }] };
        return { path: `./${file}.js`, external: true };
      });
    },
  };
}

/** The provider whose prices are wanted at nearly every start. */
const PROVIDER = "anthropic";
/** The one file that asks for the prices of all. */
const WHOLE_TABLE = /\/model\/every-price\.ts$/;
const WHOLE_SUFFIX = "?whole";
const PRICES = /genai-prices\/dist\/index\.js$/;
/** The table as the package prints it: a list of objects, indented by two, at the beginning of the module. */
const TABLE = /^const \w+ = \[\n([^]*?)\n\]/;
const BETWEEN = "\n  },\n";

/** How the package compares a few ASCII words; the runtime's tables of languages, which that asks for, take 6 ms to load. */
const COMPARED = /\b([\w.]+)\.localeCompare\(([\w.]+)\)/g;
/** At so many places: when a unit is made, and in every price. */
const COMPARISONS = 2;

/**
 * The price table twice: of one provider, and of all for whoever asks for it. It is read before the first request, because
 * the worst case of a call is priced before it is sent, and all of it takes 13 ms.
 */
export function pricesApart(): Plugin {
  return {
    name: "prices-apart",
    setup(build) {
      build.onResolve(
        { filter: /^@pydantic\/genai-prices$/ },
        async ({ path, importer, kind, resolveDir, pluginData }) => {
          if (!WHOLE_TABLE.test(importer) || pluginData === WHOLE_SUFFIX) return null;
          const found = await build.resolve(path, { importer, kind, resolveDir, pluginData: WHOLE_SUFFIX });
          return { ...found, suffix: WHOLE_SUFFIX };
        },
      );
      build.onLoad({ filter: PRICES }, ({ path, suffix }) => {
        const source = readFileSync(path, "utf8");
        return { contents: suffix === WHOLE_SUFFIX ? plainlySorted(source) : withOneProvider(source), loader: "js" };
      });
    },
  };
}

/** P1. @param source the package's module */
export function withOneProvider(source: string): string {
  const table = TABLE.exec(source)?.[1];
  const kept = table?.split(BETWEEN).filter((entry) => entry.startsWith(`  {\n    id: "${PROVIDER}",\n`)) ?? [];
  if (table === undefined || kept.length !== 1) throw misprinted();
  return plainlySorted(source).replace(table, () => `${kept.join("")}${BETWEEN}`);
}

/** P1. @param source the package's module */
export function plainlySorted(source: string): string {
  if ([...source.matchAll(COMPARED)].length !== COMPARISONS) throw misprinted();
  return source.replace(COMPARED, "($1 < $2 ? -1 : $1 > $2 ? 1 : 0)");
}

function misprinted(): TypeError {
  return new TypeError("the price table is not printed as expected: adapt scripts/bundle-plugins.ts");
}
