/**
 * What an element looks like, as far as it decides whether a reader sees its text: shown at all, size, colours, place. Pure.
 *
 * H2: what cannot be told (a colour by variable, a length by calculation) counts as shown.
 */
import type { Attributes } from "./tokens.ts";

/** Of one element: the declarations that won, by property. */
export type Declared = ReadonlyMap<string, string>;

type Rgb = readonly [red: number, green: number, blue: number];

export interface Look {
  /** Not there, whatever its children say. */
  readonly gone: boolean;
  /** `visibility`, which a child may take back. */
  readonly invisible: boolean;
  readonly font_px: number;
  /** Null is not known. */
  readonly color: Rgb | null;
  readonly background: Rgb | null;
}

const ROOT_FONT_PX = 16;
/** Below, nobody reads it. */
const READABLE_FONT_PX = 3;
const OPACITY_MIN = 0.06;
/** Differences of a colour up to this, of 255, are not seen. */
const CONTRAST_MIN = 20;
/** Further out than this is outside of every window. */
const OFF_SCREEN_PX = -900;
const FAR_OUT_PX = 5_000;
const WINDOW_PX = 1_280;
const TINY_PX = 1;

/** A page without style sheets that cannot be seen here is black on white. */
export function rootLook(has_unseen_styles: boolean): Look {
  const color: Rgb | null = has_unseen_styles ? null : [0, 0, 0];
  return { gone: false, invisible: false, font_px: ROOT_FONT_PX, color, background: [255, 255, 255] };
}

export function isShown({ gone, invisible, font_px, color, background }: Look): boolean {
  if (gone || invisible || font_px < READABLE_FONT_PX) return false;
  return color === null || background === null || differs(color, background);
}

/** @param is_page `html` or `body`: a page that hides all of itself until a script runs is read all the same */
export function lookOf(parent: Look, declared: Declared, attributes: Attributes, is_page: boolean): Look {
  if (declared.size === 0 && attributes.size === 0) return parent;
  const own_background = backgroundOf(declared, attributes);
  const own_color = is_page && own_background === undefined ? undefined : colorOf(declared, attributes);
  return {
    gone: parent.gone || (!is_page && (isHiddenByAttribute(attributes, declared) || isGone(declared))),
    invisible: is_page ? false : invisibility(declared.get("visibility"), parent.invisible),
    font_px: fontSize(declared, parent.font_px),
    color: own_color === undefined ? parent.color : own_color,
    background: own_background === undefined ? parent.background : own_background,
  };
}

function isHiddenByAttribute(attributes: Attributes, declared: Declared): boolean {
  if (attributes.has("hidden")) return (declared.get("display") ?? "none") === "none";
  return attributes.get("aria-hidden")?.trim().toLowerCase() === "true" || attributes.has("popover");
}

function invisibility(visibility: string | undefined, inherited: boolean): boolean {
  if (visibility === "hidden" || visibility === "collapse") return true;
  return visibility === "visible" || visibility === "initial" ? false : inherited;
}

function isGone(declared: Declared): boolean {
  if (declared.size === 0) return false;
  if (declared.get("display") === "none" || declared.get("content-visibility") === "hidden") return true;
  const opacity =
    numberOf(declared.get("opacity")) ?? numberOf(/opacity\(\s*([^)]*)\)/.exec(declared.get("filter") ?? "")?.[1]);
  if (opacity !== null && opacity < OPACITY_MIN) return true;
  return isClipped(declared) || isOffScreen(declared) || isShrunk(declared);
}

function isClipped(declared: Declared): boolean {
  const path = declared.get("clip-path") ?? "";
  const inset = /^inset\(\s*([\d.]+)%/.exec(path)?.[1];
  if (inset !== undefined && Number(inset) >= 50) return true;
  if (/^(?:circle|ellipse)\(\s*0(?:px|%)?[\s)]/.test(path)) return true;
  return isEmptyClip(declared.get("clip") ?? "") || isCutToNothing(declared);
}

function isEmptyClip(clip: string): boolean {
  const sides = /^rect\(([^)]*)\)$/.exec(clip)?.[1];
  if (sides === undefined) return false;
  const [top = null, right = null, bottom = null, left = null] = sides
    .trim()
    .split(/[\s,]+/)
    .map(pixels);
  const isThin = (from: number | null, to: number | null): boolean =>
    from !== null && to !== null && to - from <= TINY_PX;
  return isThin(top, bottom) || isThin(left, right);
}

function isCutToNothing(declared: Declared): boolean {
  const clips = ["overflow", "overflow-x", "overflow-y"].some((name) => /hidden|clip/.test(declared.get(name) ?? ""));
  return clips && ["width", "height", "max-width", "max-height"].some((name) => isAtMost(declared.get(name), TINY_PX));
}

function isOffScreen(declared: Declared): boolean {
  if (isAtMost(declared.get("text-indent"), OFF_SCREEN_PX)) return true;
  if (["margin-left", "margin-top"].some((name) => isAtMost(declared.get(name), OFF_SCREEN_PX))) return true;
  if (/(?:^|\s)-\d{4,}/.test(declared.get("margin") ?? "")) return true;
  const moved = `${declared.get("transform") ?? ""} translate(${declared.get("translate") ?? ""})`;
  if ([...moved.matchAll(/translate(?:x|y|3d)?\(([^)]*)\)/g)].some(([, by = ""]) => by.split(/[\s,]+/).some(isFarOut)))
    return true;
  if ((declared.get("position") ?? "static") === "static") return false;
  const sides = ["left", "right", "top", "bottom"].map((name) => declared.get(name));
  return [...sides, ...(declared.get("inset") ?? "").split(/\s+/)].some(isFarOut);
}

function isShrunk(declared: Declared): boolean {
  if (/scale(?:x|y|3d)?\(\s*0(?:\.0\d*)?\s*[,)]/.test(declared.get("transform") ?? "")) return true;
  return /^0(?:\.0\d*)?(?:\s|$)/.test(declared.get("scale") ?? "");
}

function isFarOut(length: string | undefined): boolean {
  const px = pixels(length);
  return px !== null && (px <= OFF_SCREEN_PX || px >= FAR_OUT_PX);
}

function isAtMost(length: string | undefined, limit: number): boolean {
  const px = pixels(length);
  return px !== null && px <= limit;
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ "": 1, px: 1, pt: 4 / 3, pc: 16, in: 96, cm: 37.8, mm: 3.78, em: 16, rem: 16, ch: 8, ex: 8 },
  ...{ vw: WINDOW_PX / 100, vh: WINDOW_PX / 100, vmin: WINDOW_PX / 100, vmax: WINDOW_PX / 100 },
};
const LENGTH = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,2})?)([a-z]*)$/;

/** Percentages are of something that is not known here. */
function pixels(length: string | undefined): number | null {
  const [, amount, unit = ""] = LENGTH.exec(length?.trim() ?? "") ?? [];
  const factor = UNITS[unit];
  return amount === undefined || factor === undefined ? null : Number(amount) * factor;
}

/** `0`, `0.5`, `50%`. */
function numberOf(text: string | undefined): number | null {
  const [, amount, percent] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,2})?)(%?)$/.exec(text?.trim() ?? "") ?? [];
  return amount === undefined ? null : Number(amount) / (percent === "%" ? 100 : 1);
}

function fontSize(declared: Declared, inherited: number): number {
  const size =
    declared.get("font-size") ??
    /(?:^|\s)([\d.]+(?:px|pt|em|rem|%)?)(?:\s*\/\s*\S+)?\s+\S/.exec(declared.get("font") ?? "")?.[1];
  if (size === undefined) return inherited;
  const relative = /^([\d.]+)(em|%)$/.exec(size);
  if (relative !== null) return (Number(relative[1]) / (relative[2] === "%" ? 100 : 1)) * inherited;
  const px = pixels(size);
  if (px !== null) return px;
  return /^(?:inherit|smaller|larger|unset)$/.test(size) ? inherited : ROOT_FONT_PX;
}

/** Undefined where nothing is said; null where it cannot be told. */
function colorOf(declared: Declared, attributes: Attributes): Rgb | null | undefined {
  const fill =
    declared.get("-webkit-text-fill-color") ??
    declared.get("color") ??
    attributes.get("color") ??
    attributes.get("text");
  if (fill === undefined || fill === "inherit") return undefined;
  return readColor(fill.toLowerCase());
}

function backgroundOf(declared: Declared, attributes: Attributes): Rgb | null | undefined {
  const image = declared.get("background-image");
  if (image !== undefined && image !== "none") return null;
  const color = declared.get("background-color") ?? declared.get("background") ?? attributes.get("bgcolor");
  if (color === undefined || /^(?:none|inherit|initial|unset)$/.test(color)) return undefined;
  const read = readColor(color.toLowerCase());
  return read === TRANSPARENT ? undefined : read;
}

function differs(one: Rgb, other: Rgb): boolean {
  if (one === TRANSPARENT) return false;
  return one.some((channel, index) => Math.abs(channel - (other[index] ?? 0)) > CONTRAST_MIN);
}

const TRANSPARENT: Rgb = [-1, -1, -1];
const NAMES: Readonly<Record<string, Rgb>> = {
  transparent: TRANSPARENT,
  ...{ white: [255, 255, 255], black: [0, 0, 0], red: [255, 0, 0], lime: [0, 255, 0], blue: [0, 0, 255] },
  ...{ yellow: [255, 255, 0], cyan: [0, 255, 255], aqua: [0, 255, 255], magenta: [255, 0, 255], gray: [128, 128, 128] },
  ...{ fuchsia: [255, 0, 255], grey: [128, 128, 128], silver: [192, 192, 192], green: [0, 128, 0], navy: [0, 0, 128] },
  ...{ snow: [255, 250, 250], ivory: [255, 255, 240], azure: [240, 255, 255], floralwhite: [255, 250, 240] },
  ...{
    ghostwhite: [248, 248, 255],
    whitesmoke: [245, 245, 245],
    mintcream: [245, 255, 250],
    honeydew: [240, 255, 240],
  },
  ...{ aliceblue: [240, 248, 255], seashell: [255, 245, 238], oldlace: [253, 245, 230], linen: [250, 240, 230] },
};

function readColor(text: string): Rgb | null {
  const value = text.trim();
  const named = Object.hasOwn(NAMES, value) ? NAMES[value] : undefined;
  if (named !== undefined) return named;
  const hex = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.exec(value)?.[1];
  if (hex !== undefined) return ofHex(hex.length < 6 ? [...hex].map((digit) => digit + digit).join("") : hex);
  const [, model, inside = ""] = /^(rgb|hsl)a?\(([^()]*)\)$/.exec(value) ?? [];
  if (model === undefined) return null;
  const [a = null, b = null, c = null, alpha = null] = inside
    .split(/[\s,/]+/)
    .filter((part) => part !== "")
    .map((part) => (part.endsWith("deg") ? Number(part.slice(0, -3)) : numberOf(part)));
  if (a === null || b === null || c === null) return null;
  if (alpha !== null && alpha < OPACITY_MIN) return TRANSPARENT;
  if (model === "hsl") return ofHsl(a, b, c);
  const scale = /^\s*[\d.]+%/.test(inside) ? 255 : 1;
  return [a * scale, b * scale, c * scale];
}

function ofHex(hex: string): Rgb {
  const part = (index: number): number => Number.parseInt(hex.slice(index, index + 2), 16);
  return hex.length === 8 && part(6) / 255 < OPACITY_MIN ? TRANSPARENT : [part(0), part(2), part(4)];
}

function ofHsl(hue: number, saturation: number, lightness: number): Rgb {
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return (
      255 * (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
    );
  };
  return [channel(0), channel(8), channel(4)];
}
