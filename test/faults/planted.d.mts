export const PLANTED: { name: string; seen: RegExp; edits: [file: string, from: string, to: string][] }[];
