/**
 * A path as the most forgiving file system would read it: letters without case, characters that some systems skip left out,
 * both separators, no dots or blanks at a name's end. Two names that are one file anywhere are one name here.
 */

/** Characters that a file system, or the eye, does not tell from nothing. */
const SKIPPED = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;

/** The names of a path, folded; `.` and empty ones left out, `..` taken back. */
export function foldedNames(path: string): readonly string[] {
  const names: string[] = [];
  for (const given of path.split(/[/\\]/)) {
    const name = foldedName(given);
    if (given === "." || given === "") continue;
    if (given === "..") names.pop();
    else names.push(name);
  }
  return names;
}

function foldedName(name: string): string {
  const plain = name.normalize("NFKC").replace(SKIPPED, "").toUpperCase().toLowerCase();
  // `.git::$INDEX_ALLOCATION` and `git~1` are `.git` on NTFS, and so are `.git.` and `.git `.
  return plain
    .replace(/:.*$/u, "")
    .replace(/[. ]+$/u, "")
    .replace(/^git~\d+$/u, ".git");
}
