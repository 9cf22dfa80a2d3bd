/** Which models of OpenAI reason: those that do not answer 400 to every parameter about reasoning. */

/** Families from before reasoning, and the chat models beside the later ones. A proxy's own name counts as one that reasons. */
const WITHOUT_REASONING = /(^|[/:])(gpt-3|gpt-4|chatgpt-4|gpt-5(\.\d+)?-chat|davinci|babbage)/;

export function reasons(model: string): boolean {
  return !WITHOUT_REASONING.test(model.toLowerCase());
}
