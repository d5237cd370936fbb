include!(concat!(env!("OUT_DIR"), "/for_assistants_a_program.rs"));
