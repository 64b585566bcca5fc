import assert from 'node:assert/strict';
import type { JsonValue } from './json-value.js';

/** The forms that a stream can be answered in, by their content type. */
export const streamForms = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const;

export type StreamForm = (typeof streamForms)[number];

/** The messages of a whole stream, taken out of its form. */
export function streamMessages(form: StreamForm, text: string): JsonValue[] {
  if (form === 'application/json') {
    const messages: JsonValue = JSON.parse(text);
    assert.ok(Array.isArray(messages));
    return messages;
  }
  const [separator, prefix] = form === 'application/x-ndjson' ? ['\n', ''] : ['\n\n', 'data: '];
  assert.ok(text.endsWith(separator), 'the last message is whole');
  return text
    .slice(0, -separator.length)
    .split(separator)
    .map((message) => {
      assert.ok(message.startsWith(prefix) && !message.includes('\n'));
      return JSON.parse(message.slice(prefix.length));
    });
}
