include!(concat!(env!("OUT_DIR"), "/deploys_a_new_form_altogether.rs"));
