/** Why nothing was fetched, in words for the model. Expected: the tool turns it into a result. */
export class FetchRefusal extends Error {
  override readonly name = "FetchRefusal";
}
