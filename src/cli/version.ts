/** Which belay this is. The build puts the package's version here; run from source it is read nowhere. */
declare const BELAY_VERSION: string | undefined;

export const VERSION: string = typeof BELAY_VERSION === "string" ? BELAY_VERSION : "0.0.0-source";
