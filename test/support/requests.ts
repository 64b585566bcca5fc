import {
  BatchClassifyRequest,
  ClassifyRequest,
  ClassifyStreamRequest,
  StreamSettings,
} from '../../generated/verdict/v1/classifier_service.js';

type Input = NonNullable<ClassifyRequest['input']>;

const textInput = (value: string): Input => ({ $case: 'text', value });

/** A ClassifyRequest for one text. */
export function textRequest(text: string, rest: Partial<ClassifyRequest> = {}): ClassifyRequest {
  return ClassifyRequest.fromPartial({ input: textInput(text), ...rest });
}

/** A BatchClassifyRequest for some texts. */
export function batchRequest(
  texts: readonly string[],
  rest: Partial<BatchClassifyRequest> = {},
): BatchClassifyRequest {
  return BatchClassifyRequest.fromPartial({
    inputs: texts.map((text) => ({ input: textInput(text) })),
    ...rest,
  });
}

/** A ClassifyStreamRequest for one text. */
export function streamRequest(
  text: string,
  rest: Partial<ClassifyStreamRequest> = {},
): ClassifyStreamRequest {
  return ClassifyStreamRequest.fromPartial({ input: textInput(text), ...rest });
}

/** A message that holds the settings of a stream and nothing else. */
export function settingsMessage(settings: Partial<StreamSettings>): ClassifyStreamRequest {
  return ClassifyStreamRequest.fromPartial({ settings: StreamSettings.fromPartial(settings) });
}
