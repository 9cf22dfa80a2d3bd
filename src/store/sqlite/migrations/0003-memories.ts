/** Memories: what is asked for, the texts, and the index over their words. */
import type { Migration } from "./migration.ts";

export const migration3: Migration = {
  version: 3,
  statements: [
    `CREATE TABLE memories (
      row INTEGER PRIMARY KEY,
      tenant TEXT NOT NULL,
      principal TEXT NOT NULL,
      id TEXT NOT NULL,
      kind TEXT NOT NULL,
      scope TEXT NOT NULL,
      project TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      used_at INTEGER NOT NULL,
      uses INTEGER NOT NULL,
      UNIQUE (tenant, id)
    ) STRICT`,
    `CREATE INDEX memories_by_place ON memories (tenant, scope, project, principal)`,
    // Without a foreign key: only so is a table emptied as a whole, each of its pages overwritten.
    `CREATE TABLE memory_texts (
      row INTEGER PRIMARY KEY,
      body TEXT NOT NULL,
      words TEXT NOT NULL
    ) STRICT`,
    // The words are cut by us; to this tokenizer they are what stands between spaces.
    `CREATE VIRTUAL TABLE memory_index USING fts5 (
      words, content = 'memory_texts', content_rowid = 'row', tokenize = 'ascii'
    )`,
  ],
};
