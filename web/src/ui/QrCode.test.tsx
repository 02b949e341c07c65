import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { QrCode } from './QrCode';

test('a reader finds in it what was put in', async () => {
  const text =
    'otpauth://totp/Security%20Monitor:ana?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Security%20Monitor';
  render(<QrCode text={text} label="QR code for the app" />);
  const image = screen.getByRole('img', { name: 'QR code for the app' });
  const size = Number(image.getAttribute('viewBox')?.split(' ')[2]);
  const path = image.querySelector('path')?.getAttribute('d') ?? '';
  const { default: decodeQR } = await import('qr/decode.js');
  expect(decodeQR(enlarged(path, size, 4))).toBe(text);
});

/** Readers want several pixels for each module. */
function enlarged(path: string, size: number, by: number) {
  const data = new Uint8ClampedArray((size * by) ** 2 * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
    for (let row = Number(y) * by; row < (Number(y) + 1) * by; row++) {
      for (let column = Number(x) * by; column < (Number(x) + Number(width)) * by; column++) {
        data.set([0, 0, 0], 4 * (row * size * by + column));
      }
    }
  }
  return { width: size * by, height: size * by, data };
}
