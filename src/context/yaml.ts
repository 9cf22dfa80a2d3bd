/** The YAML reader, for those who load it only when there is YAML: in a bundle the package itself has no names when it is loaded late. */
export { type Document, LineCounter, type Node, parseDocument } from "yaml";
