/**
 * The floors of the house: imports run downward only. `scripts/boundaries.ts` runs this and fails when it saw fewer modules
 * than there are files: a boundary check that looked at nothing is green, too.
 */
const MIDDLE = ["model", "workspace", "policy", "tool", "context", "memory", "extension", "verify"];
const FACES = ["cli", "acp"];

/** What each floor may import besides itself. */
const MAY_IMPORT = {
  kernel: [],
  store: ["kernel"],
  ...Object.fromEntries(MIDDLE.map((folder) => [folder, ["kernel", "store"]])),
  tool: ["kernel", "store", "workspace"],
  engine: ["kernel", "store", ...MIDDLE],
  observe: ["kernel", "store", ...MIDDLE, "engine"],
  workflow: ["kernel", "store", ...MIDDLE, "engine"],
  service: ["kernel", "store", ...MIDDLE, "engine", "observe", "workflow"],
  testing: ["kernel", "store", ...MIDDLE, "engine", "observe", "workflow", "service"],
  host: ["kernel", "store", ...MIDDLE, "engine"],
  cli: ["kernel", "store", ...MIDDLE, "engine", "host", "observe", "workflow", "service"],
  acp: ["kernel", "store", ...MIDDLE, "engine", "host", "observe", "workflow", "service"],
};

/** The commands that start the model-server emulator, or write a scenario for it: it is part of the testing kit. */
const EMULATE = "^src/cli/commands/(emulate|record)\\.ts$";

const floors = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `floor-${folder}`,
  comment: `src/${folder} may import only: ${[folder, ...allowed].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/`, ...(folder === "cli" ? { pathNot: EMULATE } : {}) },
  to: { path: "^src/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...floors,
    {
      name: "known-folder",
      comment: "A folder of src without a floor: add it to MAY_IMPORT.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: `^src/(${Object.keys(MAY_IMPORT).join("|")})/` },
      to: {},
    },
    {
      name: "kernel-is-pure",
      comment: "The kernel does no I/O: of Node it may use crypto (hashes) only.",
      severity: "error",
      from: { path: "^src/kernel/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "only-faces-are-faces",
      comment: "A library module must not import the package's own front door.",
      severity: "error",
      from: { path: "^src/[^/]+/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "package-index-below-faces",
      comment: "The library does not export the command line.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { path: `^src/(${[...FACES, "testing"].join("|")})/` },
    },
    {
      name: "no-dev-dependency",
      comment: "What ships must not need a devDependency.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-cycle",
      comment: "Cycles hide which floor is which.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "An import that resolves to nothing.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
