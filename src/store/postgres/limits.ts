/** Every bound of the PostgreSQL store. Milliseconds unless it says otherwise. */

/** Connections of one process. */
export const CONNECTIONS_MAX = 8;
/** To be connected, or to be handed a connection of the pool. */
export const CONNECT_MS_MAX = 5_000;
/** The server gives up a statement. */
export const STATEMENT_MS_MAX = 8_000;
/** The server gives up waiting for another writer's row. */
export const LOCK_MS_MAX = 4_000;
/** The server ends a transaction whose client says nothing: a frozen process holds no row for longer. */
export const IDLE_TRANSACTION_MS_MAX = 5_000;
/** We give up an answer: the network is gone, or the server is. Longer than the server's own limit. */
export const ANSWER_MS_MAX = 10_000;
/** A connection that nobody uses is given back. */
export const IDLE_CONNECTION_MS = 10_000;
/** Before the first sign that the other end is still there. */
export const KEEP_ALIVE_MS = 5_000;
/** How long a server that does not answer is waited for when the store is opened: a person may be waiting, too. */
export const OPEN_MS_MAX = 3_000;
/** How long `close` waits for a server to take note. */
export const CLOSE_MS_MAX = 2_000;
