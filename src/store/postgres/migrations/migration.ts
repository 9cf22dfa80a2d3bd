/** One step of the schema, from version n−1 to n. A released step is never changed: the next one corrects it. */
export interface Migration {
  readonly version: number;
  /** The tables stand in the schema that the connection looks in first. */
  readonly statements: readonly string[];
}
