/**
 * Typed lint. Rules stand here because somebody would otherwise have to remember them; each ban names its replacement.
 */
import { builtinModules } from "node:module";
import tseslint from "typescript-eslint";

const LINES_MAX = 450;
const FUNCTION_LINES_MAX = 80;
const COMPLEXITY_MAX = 20;

const CLOCK = "Time is handed in: use the Clock (`clock.now()`, `clock.monotonic()`).";
const RANDOM =
  "Randomness is handed in: use the `Random` of the host, or `randomBytes` of node:crypto for names and tokens.";
const ENVIRONMENT = "The environment is read in src/cli/environment.ts and handed in.";

/** Below the faces nothing reads the clock, the dice or the environment by itself. */
const HANDED_IN = {
  "no-restricted-properties": [
    "error",
    { object: "Date", property: "now", message: CLOCK },
    { object: "performance", property: "now", message: CLOCK },
    { object: "Math", property: "random", message: RANDOM },
    { object: "process", property: "env", message: ENVIRONMENT },
    { object: "process", property: "hrtime", message: CLOCK },
  ],
  "no-restricted-syntax": [
    "error",
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK },
    { selector: "CallExpression[callee.name='Date']", message: CLOCK },
    {
      selector: "NewExpression[callee.name='Error']",
      message:
        "Throw a HarnessError with a kind, what happened and what to do; for a programmer error use `invariant`.",
    },
    { selector: "TSEnumDeclaration", message: "Only erasable syntax: use a union of literals or a const object." },
  ],
  "no-console": "error",
};

export default tseslint.config(
  { ignores: ["dist/**", "coverage/**", "node_modules/**"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-return": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unnecessary-type-assertion": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/prefer-promise-reject-errors": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", caughtErrors: "none", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/ban-ts-comment": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-empty": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-unsafe-finally": "error",
      "no-constructor-return": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-restricted-imports": [
        "error",
        {
          paths: [
            ...builtinModules
              .filter((name) => !name.includes(":"))
              .map((name) => ({ name, message: `Import "node:${name}".` })),
            { name: "fast-check", message: "Import test/support/property.ts: the same commit has the same verdict." },
          ],
        },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: LINES_MAX, skipBlankLines: false, skipComments: false }],
      "max-lines-per-function": ["error", { max: FUNCTION_LINES_MAX, skipBlankLines: true, skipComments: true }],
      complexity: ["error", COMPLEXITY_MAX],
      "max-params": ["error", 5],
    },
  },
  {
    files: ["test/support/property.ts"],
    rules: { "no-restricted-imports": "off" },
  },
  { files: ["src/**/*.ts"], ignores: ["src/cli/**", "src/host/**"], rules: HANDED_IN },
  {
    // Before Node is known to be new enough, the guard must use what every old one understands.
    files: ["src/cli/guard.ts"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    files: ["src/cli/**/*.ts"],
    rules: {
      "no-restricted-syntax": HANDED_IN["no-restricted-syntax"].filter(
        (rule) => typeof rule === "string" || rule.message !== CLOCK,
      ),
    },
  },
);
