/** Schemas are built when first used: forty of them would cost 18 ms of every start. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
