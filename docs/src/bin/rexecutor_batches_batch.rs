include!(concat!(env!("OUT_DIR"), "/rexecutor_batches_batch.rs"));
