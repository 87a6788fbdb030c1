//! Each step and each outcome of the documented table, and what must hold for all names.

use proptest::prelude::*;

use super::*;

fn person(one: &str, other: &str) -> &'static str {
    compare(one, other, Kind::Person).outcome.as_str()
}

fn company(one: &str, other: &str) -> &'static str {
    compare(one, other, Kind::Company).outcome.as_str()
}

#[test]
fn persons() {
    for (one, other, outcome) in [
        ("Ada Byron", "Ada Byron", "same"),
        ("  Zoe\u{301} Roy ", "Zoé Roy", "same"),
        ("Ada Byron", "BYRON ADA", "same_after_normalising"),
        ("Ａｄａ Byron", "ada byron", "same_after_normalising"),
        ("Ada\u{200B} By\u{AD}ron", "Ada Byron", "same_after_normalising"),
        ("Ada\nByron", "Ada Byron", "same_after_normalising"),
        ("Zoé Müller-Lefèvre", "LEFEVRE MULLER ZOE", "same_after_normalising"),
        ("Zoé Müller-Lefèvre", "MUELLER LEFEVRE ZOE", "same_after_normalising"),
        ("Jan Muller", "Jan Mueller", "partly"),
        ("Jürgen Groß", "GROSS JUERGEN", "same_after_normalising"),
        ("Søren Ærø", "SOEREN AEROE", "same_after_normalising"),
        ("Søren Ærø", "SOREN AERO", "same_after_normalising"),
        ("Åse Bråthen", "AASE BRAATHEN", "same_after_normalising"),
        ("Łukasz Wałęsa", "LUKASZ WALESA", "same_after_normalising"),
        ("İbrahim Yıldız", "IBRAHIM YILDIZ", "same_after_normalising"),
        ("Đorđe Þór", "DORDE THOR", "same_after_normalising"),
        ("Mary O’Neill", "ONEILL MARY", "same_after_normalising"),
        ("Mary O'Neill", "MARY O NEILL", "same_after_normalising"),
        ("Mary O'Neill", "O NEILL MARY", "same_after_normalising"),
        ("Jean-Pierre Roy", "ROY JEANPIERRE", "same_after_normalising"),
        ("Иван Петров", "Ivan Petrov", "same_after_normalising"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos", "same_after_normalising"),
        ("Пётр Чайковский", "Peter Tschaikowski", "not_comparable"),
        ("山田 太郎", "太郎 山田", "same_after_normalising"),
        ("山田 太郎", "Taro Yamada", "not_comparable"),
        ("山田 太郎", "鈴木 花子", "different"),
        ("Ada Byron", "Dr. Ada Byron", "same_after_normalising"),
        ("Ada Byron", "MME ADA BYRON", "same_after_normalising"),
        ("Jane Herr", "Jane", "partly"),
        ("Jane Herr", "HERR JANE", "same_after_normalising"),
        ("Jean Dupont", "M DUPONT JEAN", "partly"),
        ("Jean Dupont", "DUPONT JEAN OU MARIE", "partly"),
        ("Ada Byron", "A. Byron", "partly"),
        ("Ada Byron", "A.B.", "partly"),
        ("Ada Byron", "Ada", "partly"),
        ("Ada Byron", "Ada Byron Lovelace", "partly"),
        ("Ada Byron", "Ada Byron SAS", "partly"),
        ("Ada Byron", "Ada Biron", "partly"),
        ("Ada Byron", "Georgiana Whitmore", "different"),
        ("Noor A. Haddad", "Ada Byron", "different"),
        ("Marie de Rohan", "Jean de la Tour", "different"),
        ("Ana Ana", "Ana", "partly"),
    ] {
        assert_eq!(person(one, other), outcome, "{one} / {other}");
        assert_eq!(person(other, one), outcome, "{other} / {one}");
    }
}

#[test]
fn companies() {
    for (one, other, outcome) in [
        ("Analytical Engines SARL", "ANALYTICAL ENGINES S.A.R.L.", "same_after_normalising"),
        ("Analytical Engines SARL", "SARL Analytical Engines", "same_after_normalising"),
        ("Engines Limited", "ENGINES LTD.", "same_after_normalising"),
        ("Engines GmbH", "Engines Gesellschaft mit beschränkter Haftung", "same_after_normalising"),
        ("Engines GmbH & Co. KG", "ENGINES GMBH U CO KG", "partly"),
        ("Engines GmbH & Co. KG", "ENGINES GMBH CO KG", "same_after_normalising"),
        ("Engines GmbH & Co. KG", "ENGINES GMBH", "same_but_for_legal_form"),
        ("Analytical Engines SARL", "Analytical Engines", "same_but_for_legal_form"),
        ("Engines SAS", "Engines GmbH", "same_but_for_legal_form"),
        ("Engines SAS", "Gardens SAS", "different"),
        ("Bank of Ada", "House of Byron", "different"),
        ("ООО Ромашка", "OOO Romashka", "same_after_normalising"),
        ("SAS", "SA", "different"),
        ("3M", "3m", "same_after_normalising"),
    ] {
        assert_eq!(company(one, other), outcome, "{one} / {other}");
        assert_eq!(company(other, one), outcome, "{other} / {one}");
    }
}

#[test]
fn what_is_no_name_is_not_compared_and_shows_no_form() {
    for (name, why) in [
        ("", Why::NoName),
        (" \t", Why::NoName),
        ("-- ' --", Why::NoLetters),
        ("ada.byron@example.com", Why::NotOnlyAName),
        ("ada.byron＠example.com", Why::NotOnlyAName),
        ("ada.byron%40example.com", Why::NotOnlyAName),
        ("ada.byron&commat;example.com", Why::NotOnlyAName),
        ("ada.byron&#64;example.com", Why::NotOnlyAName),
        ("Ada +33612345678", Why::NotOnlyAName),
        ("FR76 3000 6000 0112 3456 7890 189 Ada", Why::NotOnlyAName),
        (&"Ada ".repeat(100), Why::TooLong),
        (&"a".repeat(513), Why::TooLong),
    ] {
        let comparison = compare(name, name, Kind::Person);
        assert_eq!((comparison.outcome, comparison.why), (Outcome::NotComparable, Some(why)), "{name}");
        assert_eq!(comparison.forms, None, "{name}");
    }
    assert_eq!(company("Marks & Spencer; Sons", "MARKS SPENCER SONS"), "same_after_normalising");
}

#[test]
fn the_forms_show_both_spellings_and_what_did_not_count() {
    let forms = compare("Dr Jörg Müller", "JOERG MUELLER", Kind::Person).forms.unwrap();
    assert_eq!(forms[0].spellings, ["dr jorg muller", "dr joerg mueller"]);
    assert_eq!(forms[0].set_aside, ["dr"]);
    assert_eq!(forms[1], Form { spellings: vec!["joerg mueller".to_owned()], set_aside: Vec::new() });
    let forms = compare("Engines S.A.R.L.", "Engines", Kind::Company).forms.unwrap();
    assert_eq!(forms[0].set_aside, ["sarl"]);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Person), Just(Kind::Company)]
}

/// Words that do not run together into one another.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Ada", "BYRON", "Zoé", "Müller", "Mueller", "Muller", "Dr", "de", "J", "O'Neill", "Иван", "山田",
        "Jørgen", "Joergen", "Jorgen", "z",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_two_texts_are_compared_alike_in_both_directions(
        one in "\\PC{0,30}|.{0,12}", other in "\\PC{0,30}|.{0,12}", kind in kinds(),
    ) {
        let (there, back) = (compare(&one, &other, kind), compare(&other, &one, kind));
        prop_assert_eq!(there.outcome, back.outcome);
        prop_assert_eq!(there.outcome == Outcome::NotComparable, there.why.is_some());
        let own = compare(&one, &one, kind);
        prop_assert_eq!(own.outcome, if own.why.is_some() { Outcome::NotComparable } else { Outcome::Same });
        if one.trim().is_empty() || other.trim().is_empty() {
            prop_assert_eq!(there.outcome, Outcome::NotComparable);
        }
    }

    #[test]
    fn the_order_of_words_does_not_count(
        (words, shuffled) in prop::collection::vec(word(), 1..7)
            .prop_flat_map(|words| (Just(words.clone()), Just(words).prop_shuffle())),
        other in prop::collection::vec(word(), 1..7),
    ) {
        let (words, shuffled, other) = (words.join(" "), shuffled.join(" "), other.join(" "));
        prop_assert!(compare(&words, &shuffled, Kind::Person).outcome >= Outcome::SameAfterNormalising);
        prop_assert_eq!(
            compare(&words, &other, Kind::Person).outcome == Outcome::Same,
            words.trim() == other.trim()
        );
        let (before, after) = (compare(&words, &other, Kind::Person), compare(&shuffled, &other, Kind::Person));
        let one_of = |outcome: Outcome| outcome.min(Outcome::SameAfterNormalising);
        prop_assert_eq!(one_of(before.outcome), one_of(after.outcome));
    }

    /// Masking looks at letters and digits in their order: a normalised form must not bring others together.
    #[test]
    fn a_form_has_the_letters_of_the_name_in_their_order(name in "[A-Za-z0-9 .,'-]{1,40}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if let Some([form, _]) = compare(&name, &name, Kind::Person).forms {
            prop_assert_eq!(letters(&form.spellings.join("")), letters(&name));
        }
    }
}
