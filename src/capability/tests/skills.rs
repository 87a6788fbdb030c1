//! Skills in a file that is otherwise as built in.

use super::{ACCOUNTS, FILES, VERIFY, change, copies, load, needs, refused};
use crate::capability::{Capabilities, Source};

/// What becomes what in the skill's part of the file, and the refusals without file and line.
type Fault = (&'static str, &'static str, &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        "        kyc-check:\n",
        "        kyc_check:\n",
        &[
            "exposes[1].skills.kyc-check: is missing: the server offers this skill",
            "exposes[1].skills.kyc_check: is no skill that this file may have; did you mean `kyc-check`?",
        ],
    ),
    (
        "type: skill",
        "type: control",
        &["exposes: has no skill adapter with `kyc-check`: the server offers this skill"],
    ),
    ("      port: 8080\n", "", &["exposes[1].port: is missing"]),
    (
        "      port: 8080\n",
        "      prt: 8080\n",
        &[
            "exposes[1].port: is missing",
            "exposes[1].prt: the format has no `prt` here; did you mean `port`?",
        ],
    ),
    (
        "namespace: verify-identity-skills",
        "namespace: 7",
        &["exposes[1].namespace: must be a text: put it in quotes"],
    ),
    (
        "    - type: skill\n",
        "    - { type: skill, port: 1, namespace: a, skills: {} }\n    - type: skill\n",
        &[
            "exposes[1].skills.kyc-check: is missing: the server offers this skill",
            "exposes[2]: is a second skill adapter: one has all skills of a file",
        ],
    ),
    (
        "          license: Apache-2.0\n",
        "          allowed-tools: Bash\n          location: file:///x\n          tools: {}\n          user-invocable: true\n",
        &[
            "exposes[1].skills.kyc-check.allowed-tools: is not taken: what needs no question is decided where the agent runs",
            "exposes[1].skills.kyc-check.location: is not read: the text is made of the prompts and of the tools' words",
            "exposes[1].skills.kyc-check.tools: is not read: a skill has the tools of all files",
            "exposes[1].skills.kyc-check.user-invocable: is not read: a SKILL.md has no such field",
        ],
    ),
    (
        "          license: Apache-2.0\n",
        "          licence: Apache-2.0\n",
        &["exposes[1].skills.kyc-check.licence: the format has no `licence` here; did you mean `license`?"],
    ),
    (
        "Checks whether a customer",
        "Calls `verify_identity begin` and <b>---</b>",
        &[
            "exposes[1].skills.kyc-check.description: `verify_identity begin`: verify_identity has no action `begin`; it has start, get, list, dossier",
            "exposes[1].skills.kyc-check.description: holds `---`, which readers of a SKILL.md take for markup",
            "exposes[1].skills.kyc-check.description: holds `<`, which readers of a SKILL.md take for markup",
            "exposes[1].skills.kyc-check.description: holds `>`, which readers of a SKILL.md take for markup",
        ],
    ),
    (
        "            category: kyc\n",
        "            version: \"2\"\n            \"a b\": c\n            number: 1\n",
        &[
            "exposes[1].skills.kyc-check.metadata.a b: the name of a field of metadata has letters, digits and -_. alone",
            "exposes[1].skills.kyc-check.metadata.number: must be a text: put it in quotes",
            "exposes[1].skills.kyc-check.metadata.version: is written by the server: its own version",
        ],
    ),
];

#[test]
fn every_fault_of_a_skill_is_refused_with_its_place_and_reason() {
    for (from, to, expected) in FAULTS {
        let refused = refused(VERIFY, "    # What stands at the head of the Agent Skill", from, to);
        let mut told: Vec<&str> = refused
            .lines()
            .map(|line| line.split_once(" capability.").unwrap_or_else(|| panic!("{line}")).1)
            .collect();
        told.sort_unstable();
        assert_eq!(told, *expected, "{from:?} -> {to:?}");
        assert!(refused.starts_with(&format!("DIR/{VERIFY}:")), "{refused}");
    }
    let exposes = "    - { type: skill, port: 1, namespace: a, skills: { mine: { description: Mine } } }\n";
    let refused = refused(ACCOUNTS, "", "  exposes:\n", &format!("  exposes:\n{exposes}"));
    assert!(refused.ends_with("skills.mine: is no skill that this file may have"), "{refused}");
}

#[test]
fn texts_that_the_format_does_not_take_are_refused() {
    for (from, most) in
        [("Checks whether a customer", 1024), ("Apache-2.0", 240), ("Needs a running", 500), ("kyc\n", 240)]
    {
        let long = format!("{}{from}", "words and ".repeat(120));
        let refused = refused(VERIFY, "      skills:", from, &long);
        assert!(refused.contains(&format!("characters: at most {most} are allowed")), "{from}: {refused}");
    }
    assert!(refused(VERIFY, "      skills:", "Apache-2.0", "\"\"").contains("license: must not be blank"));
}

#[test]
fn the_words_of_a_skill_are_those_of_the_file() {
    let built_in = Capabilities::load(&Source::BuiltIn, &needs()).unwrap();
    let words = built_in.skill("kyc-check").unwrap();
    assert!(words.description.contains("Use it when") && !words.description.contains('\n'), "{words:?}");
    let folder = copies();
    let (name, _) = FILES[2];
    change(folder.path(), name, "      skills:", "license: Apache-2.0", "license: Ours alone");
    change(folder.path(), name, "      skills:", "          metadata:\n            category: kyc\n", "");
    let changed = load(folder.path(), &needs()).unwrap();
    let words = changed.skill("kyc-check").unwrap();
    assert_eq!((words.license.as_deref(), words.metadata.len()), (Some("Ours alone"), 0));
    assert!(changed.skill("kyc_check").is_none());
}
