/** An error's message on one line, with the inner ones where Node aggregates them (a refused connection has no message of its own). */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(errorText).join('; ');
  const text = error instanceof Error ? error.message || ((error as { code?: string }).code ?? error.name) : String(error);
  return text.replace(/\s+/g, ' ').trim();
}
