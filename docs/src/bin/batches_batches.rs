include!(concat!(env!("OUT_DIR"), "/batches_batches.rs"));
