"""The flags of a training that takes seconds."""

QUICK = (
    "--output_channels", "2", "--batch_size", "3", "--input_shape", "1,32,32", "--encoder_args",
    "4,8", "--views", "1", "--threads", "1", "--num_workers", "0", "--k_folds", "3", "--name", "m",
    "--passes", "2", "--enable_progress_bar", "false",
)  # fmt: skip
