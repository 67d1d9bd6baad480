"""LoRA with Unsloth on the Alpaca data: goes on from the newest checkpoint in --out, if there is one."""

import argparse
from pathlib import Path

from unsloth import FastLanguageModel  # isort: skip - it has to come before transformers and trl
from datasets import load_dataset
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

LENGTH = 2048

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="unsloth/Llama-3.2-1B-Instruct-bnb-4bit")
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--out", type=Path, default=Path("out"))
given = parser.parse_args()

model, tokenizer = FastLanguageModel.from_pretrained(given.model, max_seq_length=LENGTH, load_in_4bit=True)
model = FastLanguageModel.get_peft_model(model, r=16, lora_alpha=16)


def text(row: dict[str, str]) -> dict[str, str]:
    """One example as the model reads it."""
    asked = "\n".join(filter(None, (row["instruction"], row["input"])))
    return {"text": f"### Question\n{asked}\n### Answer\n{row['output']}{tokenizer.eos_token}"}


given.out.mkdir(parents=True, exist_ok=True)
settings = SFTConfig(
    output_dir=str(given.out), dataset_text_field="text", max_length=LENGTH, max_steps=given.steps,
    per_device_train_batch_size=2, gradient_accumulation_steps=4, learning_rate=2e-4, logging_steps=5,
    save_steps=50, save_total_limit=2, report_to="none",
)  # fmt: skip
data = load_dataset("yahma/alpaca-cleaned", split="train").map(text)
trainer = SFTTrainer(model=model, processing_class=tokenizer, train_dataset=data, args=settings)
trainer.train(resume_from_checkpoint=get_last_checkpoint(str(given.out)))
model.save_pretrained(given.out / "adapter")
