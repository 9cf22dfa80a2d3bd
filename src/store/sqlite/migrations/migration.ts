/** One step of the schema, from version n−1 to n. A released step is never changed: the next one corrects it. */
export interface Migration {
  readonly version: number;
  readonly statements: readonly string[];
}
