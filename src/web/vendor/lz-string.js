export { decompressFromUTF16 } from 'lz-string';
