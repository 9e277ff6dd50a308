import type { Rectangle } from "./geometry.ts";
import { type Pixels, type Planes, type Scale, scaled } from "./pixels.ts";

/**
 * A rectangle of the image, turned upright and brought to `width` × `height`. What lies beside the
 * image repeats its border. Where it shrinks, each pixel is the mean of a grid of samples.
 */
export function crop(
  image: Pixels,
  rectangle: Rectangle,
  width: number,
  height: number,
  scale: Scale,
): Planes {
  const data = new Float32Array(3 * width * height);
  const plane = width * height;
  const [cos, sin] = [Math.cos(rectangle.angle), Math.sin(rectangle.angle)];
  const [stepX, stepY] = [rectangle.width / width, rectangle.height / height];
  const across = Math.max(1, Math.round(stepX));
  const down = Math.max(1, Math.round(stepY));
  const samples = across * down;
  const numbers = [0, 1, 2].map((channel) => scaled(scale, channel));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0; j < down; j++) {
        const v = (y + (j + 0.5) / down) * stepY - rectangle.height / 2;
        for (let i = 0; i < across; i++) {
          const u = (x + (i + 0.5) / across) * stepX - rectangle.width / 2;
          // Pixels are looked up by their centres.
          const px = clamp(rectangle.centre.x + u * cos - v * sin - 0.5, image.width - 1);
          const py = clamp(rectangle.centre.y + u * sin + v * cos - 0.5, image.height - 1);
          const [left, top] = [Math.floor(px), Math.floor(py)];
          const [fx, fy] = [px - left, py - top];
          const a = 3 * (top * image.width + left);
          const right = left + 1 < image.width ? 3 : 0;
          const below = top + 1 < image.height ? 3 * image.width : 0;
          const [wa, wb] = [(1 - fx) * (1 - fy), fx * (1 - fy)];
          const [wc, wd] = [(1 - fx) * fy, fx * fy];
          const at = (offset: number) =>
            wa * (image.data[a + offset] ?? 0) +
            wb * (image.data[a + right + offset] ?? 0) +
            wc * (image.data[a + below + offset] ?? 0) +
            wd * (image.data[a + right + below + offset] ?? 0);
          red += at(0);
          green += at(1);
          blue += at(2);
        }
      }
      const pixel = y * width + x;
      [blue, green, red].forEach((value, channel) => {
        const { factor = 1, offset = 0 } = numbers[channel] ?? {};
        data[channel * plane + pixel] = (value / samples) * factor + offset;
      });
    }
  }
  return { width, height, data };
}

function clamp(value: number, most: number): number {
  return value < 0 ? 0 : value > most ? most : value;
}
