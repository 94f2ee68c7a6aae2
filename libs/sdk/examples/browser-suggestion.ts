/** A browser suggests three replies; the clerk takes one, edits it, and may take it back. */
import { changed, type Foothold } from '@foothold/sdk';

export interface Letter {
  id: string;
  text: string;
}

/** The host's editor: which reply was sent and as what text, or nothing where the panel was closed. */
export interface Editor {
  choose(replies: string[]): Promise<{ option: number; sent: string } | undefined>;
  onUndo(undo: () => void): void;
}

/** The host's backend; it is sent the headers, so that it can tell of the same invocation. */
export type Suggest = (letter: Letter, headers: Record<string, string>) => Promise<string[]>;

export async function suggestReply(foothold: Foothold, letter: Letter, suggest: Suggest, editor: Editor): Promise<void> {
  const suggestion = foothold.invocation({ task: letter.id, taskKind: 'reply', surface: 'in-workflow', initiative: 'person' });

  let replies: string[];
  try {
    replies = await suggest(letter, suggestion.headers());
  } catch (error) {
    suggestion.failed(error); // its class, never its message
    throw error;
  }
  suggestion.shown({ options: replies.length });

  const choice = await editor.choose(replies);
  if (!choice) return suggestion.abandoned('dismissed');

  suggestion.accepted({ option: choice.option, changed: changed(replies[choice.option] ?? '', choice.sent) });
  editor.onUndo(() => suggestion.withdrawn());
  foothold.task({ task: letter.id, taskKind: 'reply' });
}
