/**
 * An upscaler's name as names are compared: whatever the case. Arli's documentation has a slip of the
 * pen, `ESGAN_4x`, which means what it should.
 */
export function plainUpscaler(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/^esgan_/, "esrgan_");
}
