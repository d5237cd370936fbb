include!(concat!(env!("OUT_DIR"), "/readme_hold_back.rs"));
