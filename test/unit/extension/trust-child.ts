/** Adds directories to a list of trusted ones, one by one, beside other processes that do the same. */
import { changeTrust } from "../../../src/extension/trust-store.ts";

const [home = "", name = "", count = "0"] = process.argv.slice(2);
for (let n = 0; n < Number(count); n++) {
  await changeTrust(home, ({ directories, declined }) => ({
    directories: [...directories, { path: `/${name}/${n}`, at: n, files: [], items: [] }],
    declined,
  }));
}
