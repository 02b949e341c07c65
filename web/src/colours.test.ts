// The colours of index.css as eyes see them: contrast after WCAG 2.2, and how far
// the bars of a stack are from each other, also for eyes that see hue otherwise.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Rgb = readonly [number, number, number];

const css = readFileSync('src/index.css', 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name, light, dark]) => [name, { light, dark }] as const,
  ),
);
const themes = ['light', 'dark'] as const;
const levels = ['critical', 'high', 'medium', 'low', 'info'];

/** The colour in linear light. */
function colourOf(name: string, theme: (typeof themes)[number]): Rgb {
  const hex = tokens.get(name)?.[theme];
  if (!hex) throw new Error(`no colour ${name}`);
  const part = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, full severity. */
const visions: Record<string, readonly Rgb[]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (rows: readonly Rgb[], [r, g, b]: Rgb) =>
  rows.map(([x, y, z]) => x * r + y * g + z * b) as unknown as Rgb;

/** Ottosson's OKLab: as far apart there as they look. */
function oklab(colour: Rgb): Rgb {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    colour,
  ).map(Math.cbrt) as unknown as Rgb;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

function apart(a: Rgb, b: Rgb, vision: readonly Rgb[]): number {
  const seen = (colour: Rgb) => oklab(times(vision, colour).map((v) => Math.min(1, Math.max(0, v))) as unknown as Rgb);
  const [x, y] = [seen(a), seen(b)];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

describe.each(themes)('in the %s theme', (theme) => {
  const colour = (name: string) => colourOf(name, theme);

  test.each(['ink', 'muted', 'faint', 'accent', 'good', 'warn', ...levels])('text in %s can be read', (name) => {
    for (const ground of ['surface', 'canvas', ...(tokens.has(`${name}-soft`) ? [`${name}-soft`] : [])]) {
      expect(contrast(colour(name), colour(ground)), `on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  test.each(levels)('a bar of %s stands out from its ground', (level) => {
    for (const ground of ['surface', 'canvas']) {
      expect(contrast(colour(`${level}-bar`), colour(ground)), `on ${ground}`).toBeGreaterThanOrEqual(3);
    }
  });

  // 0.02 is what one just sees side by side; bars are thin, and some are not side by side.
  test.each(Object.entries(visions))('no two bars look alike: %s', (_, vision) => {
    for (const [n, a] of levels.entries()) {
      for (const b of levels.slice(n + 1)) {
        expect(apart(colour(`${a}-bar`), colour(`${b}-bar`), vision), `${a} and ${b}`).toBeGreaterThanOrEqual(0.12);
      }
    }
  });
});
