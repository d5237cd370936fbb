include!(concat!(env!("OUT_DIR"), "/deploys_a_new_field_and_a_renamed_one.rs"));
