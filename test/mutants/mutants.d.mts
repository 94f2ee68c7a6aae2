export const MUTANTS: { name: string; edits: [file: string, from: string, to: string][] }[];
