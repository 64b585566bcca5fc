import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HttpService } from '../../support/http-service.js';
import { moderationOfTopics, moderatorFolder } from '../../support/moderator.js';
import { suiteCleanup } from '../../support/suite-cleanup.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);

const huggingFace = `
import sys
from huggingface_hub import InferenceClient
url = sys.argv[1]
for client in (InferenceClient(model=f"{url}/models/topics"), InferenceClient(base_url=f"{url}/models/topics"), InferenceClient(base_url=url)):
    found = client.text_classification("the coach praised the team")
    assert len(found) == 4 and found[0].label == "sports" and found[0].score > 0.5, found
    (best,) = client.text_classification("the coach praised the team", top_k=1, function_to_apply="softmax")
    assert best.label == "sports", best
try:
    InferenceClient(model=f"{url}/models/nope").text_classification("x")
except Exception as error:
    assert "there is no model nope" in str(error), error
else:
    raise AssertionError("there is no such model")
print("ok")
`;

const openai = `
import sys
import openai
client = openai.OpenAI(api_key="none", base_url=f"{sys.argv[1]}/v1", max_retries=0)
answer = client.moderations.create(input=["the coach praised the team", "a bowl of soup"], model="omni-moderation-latest")
first, second = answer.results
assert first.flagged and first.categories.violence and first.category_scores.violence >= 0.5, first
assert not first.categories.sexual_minors and not second.categories.violence, answer
assert first.category_applied_input_types.violence == ["text"], first
try:
    client.moderations.create(input="")
except openai.BadRequestError as error:
    assert "must not be empty" in str(error), error
else:
    raise AssertionError("an empty text is refused")
print("ok")
`;

describe('unmodified clients in Python', { skip: await skipWithout('python-clients') }, () => {
  const cleanup = suiteCleanup();
  let http: HttpService;

  before(async () => {
    http = await HttpService.start(['topics'], {
      VERDICT_MODELS_DIR: await moderatorFolder(cleanup, moderationOfTopics),
    });
  });

  after(() => http.stop());

  for (const [name, program] of [
    ['huggingface_hub', huggingFace],
    ['openai', openai],
  ] as const) {
    it(`${name} gets what it expects`, async () => {
      const tool = await findTool('python-clients');
      assert.ok('path' in tool);
      // It would look for a token of its user.
      const env = { PATH: process.env.PATH, HOME: '/nonexistent' };
      assert.equal((await run(tool.path, ['-c', program, http.url], { env })).stdout, 'ok\n');
    });
  }
});
