// How an image comes from the server.

// All first bytes, all second bytes, ... of little-endian float32 (HDF5's shuffle); HTTP inflated it.
function unshuffle(buffer) {
  const bytes = new Uint8Array(buffer);
  const count = bytes.length >> 2;
  const words = new Uint32Array(count);
  const second = count, third = 2 * count, fourth = 3 * count;
  for (let at = 0; at < count; at++)
    words[at] = bytes[at] | (bytes[second + at] << 8) | (bytes[third + at] << 16) | (bytes[fourth + at] << 24);
  return new Float32Array(words.buffer);
}

// Its values; rejects with the reason in words.
export async function readImage({ url, shape: [rows, columns] }) {
  const answer = await fetch(url, { headers: { accept: "application/octet-stream" } });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).msg ?? answer.statusText);
  const values = unshuffle(await answer.arrayBuffer());
  if (values.length !== rows * columns) throw new Error(`${values.length} pixels came, expected ${rows * columns}`);
  return values;
}
