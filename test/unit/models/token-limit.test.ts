import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenLimit } from '../../../src/models/token-limit.js';

describe('tokenLimit', () => {
  it('reads the number of positions by whatever name the family gives it', () => {
    for (const field of ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_seq_len', 'seq_length']) {
      assert.equal(tokenLimit({ [field]: 100 }, {}, [{}]), 100, field);
    }
    assert.equal(tokenLimit({ n_positions: 1024, n_ctx: 512 }, {}, []), 512);
  });

  it('counts from the padding id of the graph + 1, else from that of the family', () => {
    const roberta = { model_type: 'roberta', max_position_embeddings: 514 };
    assert.equal(tokenLimit(roberta, {}, [{}]), 512);
    assert.equal(tokenLimit({ ...roberta, pad_token_id: 3 }, {}, [{}]), 510);
    assert.equal(
      tokenLimit({ ...roberta, model_type: 'roberta-prelayernorm', pad_token_id: 1 }, {}, []),
      512,
    );
    assert.equal(tokenLimit({ max_position_embeddings: 34 }, {}, [{ positionsFromPadId: 3 }]), 30);
    assert.equal(tokenLimit({ ...roberta, model_type: 'bert', pad_token_id: 3 }, {}, [{}]), 514);
  });

  it('holds every limit against the table of the graph', () => {
    assert.equal(tokenLimit({ max_position_embeddings: 512 }, {}, [{ positions: 128 }]), 128);
    // BART and OPT have two rows more than positions.
    assert.equal(tokenLimit({ max_position_embeddings: 1024 }, {}, [{ positions: 1026 }]), 1024);
    assert.equal(tokenLimit({}, {}, [{ positions: 34, positionsFromPadId: 3 }]), 30);
    assert.equal(tokenLimit({}, { model_max_length: 20 }, [{ positions: 34 }]), 20);
  });

  it('takes 512 where nothing sets a limit, or one that nobody can mean', () => {
    assert.equal(tokenLimit({}, { model_max_length: 1e30 }, [{}]), 512);
    assert.equal(tokenLimit({ max_position_embeddings: 'many' }, {}, []), 512);
  });
});
