#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fine-tunes a tiny, randomly initialised BERT on generated sentences.

Needs no network and no GPU: vocabulary, data and weights are made here, so that the image can be tried at once. For real
work, replace make_tokenizer(), make_examples() and make_model() by from_pretrained() and load_dataset().
"""

import argparse
import json
import os
import random
import time
from pathlib import Path

# Said before the libraries are imported: nothing here may look for a hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from accelerate import Accelerator
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

SUBJECTS = ["the model", "the image", "this layer", "the driver", "our cluster", "the kernel"]
VERBS = ["runs", "loads", "starts", "builds", "trains", "answers"]
GOOD = ["quickly", "well", "correctly", "cheaply"]
BAD = ["slowly", "badly", "wrongly", "never"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_tokenizer():
    words = sorted({w for text in SUBJECTS + VERBS + GOOD + BAD for w in text.split()})
    vocabulary = {word: number for number, word in enumerate(SPECIAL + words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def make_examples(count, seed):
    """Sentences whose last word says whether they are good (1) or bad (0)."""
    chance = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = chance.randrange(2)
        ending = chance.choice(GOOD if label else BAD)
        texts.append(f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {ending}")
        labels.append(label)
    return Dataset.from_dict({"text": texts, "label": labels})


def make_model(tokenizer):
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=32,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=2,
    )
    return BertForSequenceClassification(config)


def make_loader(examples, tokenizer, batch, shuffle):
    def collate(rows):
        features = tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt")
        features["labels"] = torch.tensor([row["label"] for row in rows])
        return dict(features)

    return DataLoader(examples, batch_size=batch, shuffle=shuffle, collate_fn=collate)


def accuracy(model, loader, accelerator):
    model.eval()
    right = total = 0
    for features in loader:
        with torch.no_grad():
            guesses = model(**features).logits.argmax(dim=-1)
        guesses, labels = accelerator.gather_for_metrics((guesses, features["labels"]))
        right += int((guesses == labels).sum())
        total += len(labels)
    return right / total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--output", type=Path, default=Path("/workspace/finetuned"))
    options = parser.parse_args()

    torch.manual_seed(0)
    accelerator = Accelerator()
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    training = make_loader(make_examples(options.examples, seed=1), tokenizer, options.batch, True)
    testing = make_loader(make_examples(256, seed=2), tokenizer, options.batch, False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model, optimizer, training, testing = accelerator.prepare(model, optimizer, training, testing)
    accelerator.print(f"torch {torch.__version__} on {accelerator.device}")

    for epoch in range(1, options.epochs + 1):
        model.train()
        start, losses = time.monotonic(), []
        for features in training:
            loss = model(**features).loss
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        result = {
            "epoch": epoch,
            "loss": round(sum(losses) / len(losses), 4),
            "accuracy": round(accuracy(model, testing, accelerator), 4),
            "seconds": round(time.monotonic() - start, 2),
        }
        accelerator.print(json.dumps(result))

    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        accelerator.unwrap_model(model).save_pretrained(options.output)
        tokenizer.save_pretrained(options.output)
        print(f"saved to {options.output}")


if __name__ == "__main__":
    main()
