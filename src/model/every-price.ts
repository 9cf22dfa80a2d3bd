/** The whole price table. The command's bundle keeps Anthropic's prices apart from it, and this is where it keeps the rest. */
export { calcPrice } from "@pydantic/genai-prices";
