/** Whether a text tells somebody what to do: what would change how later sessions behave waits for a person. Pure. */
const TELLS =
  /\b(?:always|never|must(?: not)?|do not|don't|should(?:n't| not)?|ignore|disregard|from now on|make sure|be sure|remember to|you (?:are|can|may|will)|before (?:every|each|any)|after (?:every|each|any)|without (?:asking|approval|confirmation)|skip (?:the )?(?:tests?|checks?|reviews?)|--no-verify|--force)\b/i;

export function tellsWhatToDo(text: string): boolean {
  return TELLS.test(text);
}
