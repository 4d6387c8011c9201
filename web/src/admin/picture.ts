/* Makes of any picture the browser can read one that the menu needs: at most 1,200 pixels a side,
 * well below what the server takes, upright, and without what a camera writes into it (where it was
 * taken). */
const SIDE_MAX = 1200;
const BYTES_MAX = 1024 * 1024;
const ATTEMPTS: { scale: number; quality: number }[] = [
  { scale: 1, quality: 0.85 }, { scale: 1, quality: 0.65 }, { scale: 0.6, quality: 0.65 }, { scale: 0.3, quality: 0.5 },
];

export class PictureError extends Error {}

function draw(image: ImageBitmap, scale: number, ground: string | null): HTMLCanvasElement {
  const factor = Math.min(1, SIDE_MAX / Math.max(image.width, image.height)) * scale;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * factor));
  canvas.height = Math.max(1, Math.round(image.height * factor));
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function encode(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

/* WebP, which keeps what is transparent; where the browser cannot write that, JPEG on white. */
async function shrink(image: ImageBitmap): Promise<Blob | null> {
  for (const { scale, quality } of ATTEMPTS) {
    let blob = await encode(draw(image, scale, null), 'image/webp', quality);
    if (blob?.type !== 'image/webp')
      blob = await encode(draw(image, scale, '#fff'), 'image/jpeg', quality);
    if (blob && blob.size <= BYTES_MAX)
      return blob;
  }
  return null;
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/* The picture as a data: URL, which the page may show and the tab can keep. */
export async function readPicture(file: Blob): Promise<string> {
  let image: ImageBitmap;
  try {
    image = await createImageBitmap(file); // upright by itself; Safari 16 refuses to be told so
  } catch {
    throw new PictureError('This file is not a picture that can be read here. Choose a JPEG, PNG or WebP.');
  }
  try {
    const blob = await shrink(image);
    if (!blob)
      throw new PictureError('This picture could not be made small enough. Please choose another.');
    return await dataUrl(blob);
  } finally {
    image.close();
  }
}

export function blobOf(url: string): Blob {
  const [head = '', body = ''] = url.split(',');
  const bytes = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
  return new Blob([bytes], { type: /^data:([^;]+)/.exec(head)?.[1] });
}
