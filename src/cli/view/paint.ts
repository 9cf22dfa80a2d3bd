/** Colours, or none. Chosen once, where the terminal is known. */
import pico from "picocolors";

type Style = (text: string) => string;

export interface Paint {
  readonly bold: Style;
  readonly dim: Style;
  readonly red: Style;
  readonly green: Style;
  readonly yellow: Style;
  readonly cyan: Style;
}

export function paintFor(colors: boolean): Paint {
  return pico.createColors(colors);
}
