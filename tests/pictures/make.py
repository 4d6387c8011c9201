#!/usr/bin/python3
"""Makes the pictures beside it, which the tests read as they are (Debian: python3-pil). Each is named
by its size and by what is special about it."""
from pathlib import Path
from struct import pack

from PIL import Image

HERE = Path(__file__).parent


def picture(width, height, mode="RGB"):
    """Colours that run from corner to corner, so that no two parts are the same."""
    image = Image.new(mode, (width, height))
    channels = len(image.getbands())
    steps = [width, height, max(width + height - 1, 1), height]
    pixels = [
        tuple([x, y, x + y, height - 1 - y][c] * 255 // max(steps[c] - 1, 1) for c in range(channels))
        for y in range(height) for x in range(width)
    ]
    image.putdata([p[0] for p in pixels] if channels == 1 else pixels)
    return image


def save(image, name, **options):
    image.save(HERE / name, **options)


def thumbnail_exif(jpeg):
    """EXIF data whose second directory holds a thumbnail, as cameras write it."""
    head = b"II*\0" + pack("<I", 8)
    first = pack("<H", 0) + pack("<I", 14)  # no entry; the next directory
    second = pack("<H", 2) + pack("<HHII", 0x201, 4, 1, 44) + pack("<HHII", 0x202, 4, 1, len(jpeg))
    return b"Exif\0\0" + head + first + second + pack("<I", 0) + jpeg


def main():
    save(picture(7, 5), "7x5.png")
    save(picture(7, 5, "RGBA"), "7x5-alpha.png")
    save(picture(7, 5).convert("P"), "7x5-palette.png")
    save(Image.new("1", (4096, 4096)), "4096x4096.png")
    save(Image.new("1", (4097, 1)), "4097x1.png")
    save(Image.new("1", (1, 4097)), "1x4097.png")

    save(picture(64, 48), "64x48.jpg")
    save(picture(64, 48), "64x48-progressive.jpg", progressive=True)
    save(picture(64, 48, "L"), "64x48-gray.jpg")
    save(picture(64, 48), "64x48-comment.jpg", subsampling=0, comment=b"one\xff\xd8two")
    thumbnail = HERE / "thumbnail.jpg"
    save(picture(16, 12), thumbnail.name)
    save(picture(64, 48), "64x48-thumbnail.jpg", exif=thumbnail_exif(thumbnail.read_bytes()))
    thumbnail.unlink()
    save(Image.new("L", (4096, 16)), "4096x16.jpg")
    save(Image.new("L", (4097, 16)), "4097x16.jpg")

    save(picture(33, 20), "33x20.webp")
    save(picture(33, 20), "33x20-lossless.webp", lossless=True)
    save(picture(33, 20, "RGBA"), "33x20-alpha.webp")
    frames = [picture(33, 20), picture(33, 20).transpose(Image.Transpose.ROTATE_180)]
    save(frames[0], "33x20-animated.webp", save_all=True, append_images=frames[1:], duration=100)
    save(Image.new("RGB", (4096, 16)), "4096x16.webp")
    save(Image.new("RGB", (4097, 16)), "4097x16.webp")


main()
