/**
 * Loaded before every script (`node --import`): an old Node cannot run TypeScript and would fail with a riddle.
 * `npm run` finds the Node that npm pinned beside the packages, unless install scripts were switched off.
 */
const MINIMUM = [22, 22, 2];

const present = process.versions.node.split(".").map(Number);
const differs = MINIMUM.findIndex((part, i) => part !== present[i]);

if (differs !== -1 && present[differs] < MINIMUM[differs]) {
  console.error(
    `belay needs Node ${MINIMUM.join(".")} or newer and this is ${process.versions.node}. ` +
      "Run `npm rebuild node` (it puts the pinned Node into node_modules), or install a newer Node.",
  );
  process.exit(2);
}
