/** A chat answers word by word. The reader may stop it, copy the answer, or walk away. */
import { type Foothold } from '@foothold/sdk';

/** The host's chat window. */
export interface Window {
  show(part: string): void;
  /** Whether the reader pressed stop. */
  stopped(): boolean;
  /** What the reader did with the answer in the end. */
  whatNext(): Promise<'copied' | 'thumbs-down' | 'left'>;
}

export async function answer(foothold: Foothold, parts: AsyncIterable<string>, window: Window): Promise<void> {
  const turn = foothold.invocation({ surface: 'side-tool', initiative: 'person', model: 'chat-large-2.1' });

  for await (const part of parts) {
    if (window.stopped()) return turn.abandoned('stopped');
    turn.streaming(); // the first call marks the first visible part, the others nothing
    window.show(part);
  }
  turn.shown();

  const next = await window.whatNext();
  if (next === 'copied') turn.accepted();
  if (next === 'thumbs-down') foothold.feedback({ invocation: turn, score: -1 });
  turn.abandoned('navigated'); // says nothing after a decision
}
