// Packed arrays of the document (calor/report/arrays.h) as typed arrays, each unpacked once.
const unpacked = new Map();

// Numbers as Float32Array; indices as Int32Array, in which -1 is "not known".
function unpack(packed) {
  if (!unpacked.has(packed)) {
    const text = atob(packed.data), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
    const kinds = {f32: Float32Array, u8: Uint8Array, u16: Uint16Array, i32: Int32Array};
    const stored = new kinds[packed.type](bytes.buffer);
    unpacked.set(packed, packed.type === "f32" ? stored : Int32Array.from(stored, (value) => value - 1));
  }
  return unpacked.get(packed);
}
