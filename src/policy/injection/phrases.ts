/**
 * What injected instructions say, as patterns over plain words: lower case, look-alikes folded, signs as one blank, the end of a
 * sentence as ` . `. In several languages. Whoever knows these patterns writes around them: they warn and permit nothing.
 *
 * P1: every gap is bounded and every pattern begins with words: searching is linear.
 */

export type PhraseKind = "addressed_to_ai" | "exfiltration" | "instruction_override" | "secret_request" | "system_role";

export interface Phrase {
  readonly kind: PhraseKind;
  readonly pattern: RegExp;
}

const words = (most: number): string => `(?:[^\\s.]{1,24} ){0,${String(most)}}`;
const phrase = (kind: PhraseKind, ...patterns: readonly string[]): readonly Phrase[] =>
  patterns.map((pattern) => ({ kind, pattern: new RegExp(pattern, "u") }));

const AI =
  "(?:ais?|llms?|gpt|chatgpt|claude|gemini|copilot|cursor|codex|(?:ai|coding|llm) (?:agents?|assistants?|models?)|language models?|chatbots?)";
const DROP =
  "(?:ignore|disregard|forget|override|bypass|neglect|discard|do not (?:follow|obey)|dont (?:follow|obey)|stop following)";
const EARLIER =
  "(?:previous|prior|preceding|above|earlier|foregoing|original|initial|existing|system|developer|safety|all other|other|your|the user s|user s)";
const ORDERS =
  "(?:instructions?|prompts?|directions?|directives?|guidelines?|commands?|orders|guardrails|system message|programming)";
const SECRETS =
  "(?:api keys?|secrets|secret keys?|passwords?|credentials?|private keys?|ssh keys?|access tokens?|auth(?:entication)? tokens?|env(?:ironment)? (?:variables|vars|file|secrets)|env files?|system prompts?|conversation history|chat history|id rsa|aws keys?)";
const SEND =
  "(?:send|post|upload|transmit|exfiltrate|leak|forward|email|e mail|submit|deliver|report|append|encode|include|embed|put|paste)";
const PLACE =
  "(?:https? |webhook|e ?mail address|mailto |query (?:string|parameter)|the (?:following )?(?:url|endpoint|server|address)|my server|attacker)";

/** For text of Latin letters, folded. */
export const FOLDED_PHRASES: readonly Phrase[] = [
  ...phrase(
    "instruction_override",
    `\\b${DROP} ${words(3)}${EARLIER} ${words(3)}${ORDERS}\\b`,
    `\\b${DROP} (?:everything|anything|all(?: of)?(?: the)?(?: text)?|whatever) ${words(4)}(?:above|before this|said before|told (?:you|before)|were told|been told|you (?:know|were given|have been given))\\b`,
    "\\bnew (?:instructions?|orders|directives?) (?:for (?:you|the (?:ai|assistant|agent|model))|from (?:the )?(?:user|system|admin(?:istrator)?|developers?))\\b",
    "\\b(?:your|the) (?:new|real|actual|true|updated) (?:instructions?|task|goal|objective|mission|orders) (?:is|are)\\b",
    "\\bignoriere? (?:bitte )?(?:alle |samtliche )?(?:bisherigen|vorherigen|vorigen|fruheren|obigen|deine) (?:[a-z]+ )?(?:anweisungen|instruktionen|befehle|vorgaben|regeln)\\b",
    "\\b(?:vergiss|missachte) (?:bitte )?(?:alles|alle|samtliche|deine) (?:[a-z]+ ){0,3}(?:anweisungen|instruktionen|befehle|vorgaben|regeln|zuvor|bisher)\\b",
    "\\b(?:ignore[zr]?|oublie[zr]?|ne tiens pas compte de|ne tenez pas compte de) (?:toutes |les |tes |vos |ces ){1,2}(?:instructions|consignes|directives|ordres)\\b",
    "\\b(?:ignora|ignore|ignorar|olvida|olvide|desestima) (?:todas? )?(?:las |tus |sus )?(?:instrucciones|indicaciones|ordenes|directrices)\\b",
    "\\b(?:ignora|ignore|ignorar|esqueca|desconsidere) (?:todas? )?(?:as |suas )?(?:instrucoes|orientacoes|ordens|diretrizes)\\b",
    "\\b(?:ignora|ignorate|dimentica|dimenticate|trascura) (?:tutte )?(?:le |tue )?(?:istruzioni|indicazioni|direttive|regole)\\b",
    "\\b(?:negeer|vergeet) (?:alle |alstublieft )?(?:[a-z]+ )?(?:instructies|opdrachten|aanwijzingen)\\b",
    "\\b(?:zignoruj|ignoruj|zapomnij) (?:wszystkie )?(?:[a-z]+ )?(?:instrukcje|polecenia|wytyczne)\\b",
    "\\b(?:onceki|yukaridaki|tum|butun) (?:[a-z]+ )?(?:talimatlari|komutlari|yonergeleri) (?:yok say|unut|dikkate alma|goz ardi et)",
    "\\b(?:abaikan|lupakan) (?:semua )?(?:instruksi|perintah)\\b",
    "\\b(?:bo qua|quen) (?:tat ca )?(?:cac )?(?:huong dan|chi dan|lenh)\\b",
  ),
  ...phrase(
    "system_role",
    "\\byou are now (?:in )?(?:dan|a[n]? (?:unrestricted|unfiltered|different|evil|hacker|new)|(?:developer|debug|god|admin|jailbreak|unrestricted|maintenance) mode|free from|no longer)\\b",
    `\\b(?:enter|enable|activate|switch to) (?:the )?(?:dan|god|jailbreak|unrestricted|unfiltered) mode\\b`,
    "\\b(?:system|admin|administrator|developer|root) (?:override|alert|command) (?:\\. )?(?:you|the (?:ai|assistant|agent|model)|ignore|disregard|execute)\\b",
    "\\b(?:new|updated|real|actual) system (?:prompt|message|instructions?) (?:\\. )?(?:you|follows|begins|is)\\b",
    "\\bend of (?:the )?(?:untrusted|external|user|tool|web|system) (?:content|input|output|text|data|prompt|message|page|document|result)\\b",
    "\\bfrom now on (?:\\. )?you (?:will|must|are|shall) (?:act|behave|obey|only|always|follow|respond|answer|a|an|my)\\b",
    "\\b(?:pretend|act as if) (?:that )?(?:you are|you re) (?:not bound|unrestricted|the (?:system|administrator)|an? (?:unrestricted|admin|root))\\b",
  ),
  ...phrase(
    "secret_request",
    `\\b(?:reveal|print|output|show|disclose|repeat|display|tell me|give me|write out) (?:me )?(?:all |the full |in full )?your ${words(3)}(?:system prompt|initial prompt|instructions|secrets|credentials|api keys?|passwords?|hidden prompt)\\b`,
    `\\b(?:read|cat|open|collect|gather|find|locate|search for) ${words(5)}${SECRETS} (?:\\. )?(?:and|then) ${words(2)}${SEND}\\b`,
    "\\b(?:read|cat|open|collect|gather|copy) (?:the )?(?:[^\\s.]{1,24} ){0,4}(?:\\. )?(?:ssh id rsa|ssh id ed25519|aws credentials|etc shadow|env) (?:file )?(?:\\. )?(?:and|then) ",
  ),
  ...phrase(
    "exfiltration",
    `\\b${SEND} ${words(6)}${SECRETS} ${words(6)}(?:to|at|into|in|via|as) ${words(3)}${PLACE}`,
    `\\bexfiltrate (?:${words(4)})(?:data|secrets|credentials|keys|tokens|files|contents?)\\b(?= (?:to|via|through|using) )`,
  ),
  ...phrase(
    "addressed_to_ai",
    `\\b(?:attention|dear|hey|hello|important|note|message|instructions?|notice|warning)(?: \\.)? (?:to |for )?(?:the |any |all |every )?${AI} (?:\\. )?(?:${words(3)})(?:reading|processing|parsing|summarizing|reviewing|that reads?|who reads?|must|should|please|you must|you should|ignore|run|execute)\\b`,
    `\\bif you(?: are| re) (?:an? |the )?${AI} ${words(6)}(?:\\. )?(?:you must|must|please|then|ignore|run|execute|include|add|say|do not tell|reply|respond)\\b`,
    `\\bas an? ${AI} (?:\\. )?you (?:must|should now|are required|are instructed)\\b`,
    `\\b(?:do not|don t|dont|never|without) (?:tell|telling|inform|informing|mention(?:ing)?|alert(?:ing)?|notify|notifying|reveal(?:ing)?)(?: this| it| anything)?(?: to)? the user\\b(?! (?:that|of|when|about|if)\\b)`,
    `\\b(?:before|after) (?:you )?(?:answer|respond|continue|reply|summariz)(?:e|ing)? (?:\\. )?(?:you must|first|please)? ?(?:run|execute) (?:the|this) (?:following )?(?:command|script|code)\\b`,
  ),
];

/** For text in other letters, as they are. Blanks are left out of the text for those that are written without. */
export const NATIVE_PHRASES: readonly Phrase[] = phrase(
  "instruction_override",
  "(?:игнорируй|игнорируйте|проигнорируй|проигнорируйте|забудь|забудьте|не обращай внимания на) (?:все )?(?:[^\\s.]{1,24} ){0,3}(?:инструкции|указания|команды|правила)",
  "(?:ігноруй|ігноруйте|проігноруй|забудь) (?:усі |всі )?(?:[^\\s.]{1,24} ){0,3}(?:інструкції|вказівки|команди)",
  "(?:تجاهل|انس|انسى) (?:[^\\s.]{1,24} ){0,3}(?:التعليمات|الأوامر|تعليمات)",
  "(?:התעלם|התעלמי|שכח) (?:מכל |את כל )?(?:[^\\s.]{1,24} ){0,2}(?:ההוראות|הוראות)",
  "(?:पिछले|पिछली|सभी|उपरोक्त) (?:[^\\s.]{1,24} ){0,3}(?:निर्देशों|निर्देश|आदेशों) (?:[^\\s.]{1,24} ){0,2}(?:अनदेखा|नज़रअंदाज़|भूल|उपेक्षा)",
  "(?:αγνόησε|αγνοήστε|ξέχνα) (?:[^\\s.]{1,24} ){0,4}(?:οδηγίες|εντολές)",
);
export const COMPACT_PHRASES: readonly Phrase[] = phrase(
  "instruction_override",
  "(?:忽略|无视|無視|忘记|忘記|忽視)(?:你|您|掉|所有|全部|一切|之前|以前|先前|以上|上面|上述|前面|此前|的|任何){1,6}(?:指令|指示|提示|命令|规则|規則|说明|說明|内容|內容)",
  "(?:これまで|以前|前|上記|上|すべて|全て|全部|今まで){1,3}の?(?:すべての|全ての)?(?:指示|命令|プロンプト|ルール)(?:を|は)?(?:すべて|全て)?(?:無視|忘れ)",
  "(?:이전|위|앞|모든|지금까지)의?(?:모든)?(?:지시|명령|프롬프트|지침)(?:사항)?(?:들)?(?:을|를|은|는)?(?:모두)?(?:무시|잊)",
);
