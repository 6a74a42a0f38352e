//! How words that are seen for the first time become lexemes.

use rayon::ThreadPool;

use super::Vocab;
use crate::lexeme::Lexeme;
use crate::lexeme_table::{LookedUp, NewWord, Turn, Word, in_order};
use crate::lexical::{EVERY_STRING, Lexicon};
use crate::strings::StringStore;

/// Changes the attributes of each new lexeme: what a caller's own attribute getters say of its string.
pub trait LexemeHook: Send + Sync {
    /// Called once a word type, without a lock held.
    fn adjust(&self, text: &str, lexeme: &mut Lexeme, strings: &StringStore) -> Result<(), HookError>;
}

/// An error of a caller's own attribute getter, as it came.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// From this many new words on another thread does its share of what is done after looking them up.
pub(crate) const WORTH_A_THREAD: usize = 256;

impl Vocab {
    /// The index of the lexeme of `text`, made where the word type is new.
    ///
    /// # Errors
    /// Those of the [`LexemeHook`]; without one there are none.
    pub fn lexeme(&self, text: &str) -> Result<u32, HookError> {
        Ok(self.lexemes(&[text])?[0])
    }

    /// The indices of the lexemes of several strings, with fewer locks taken than one by one.
    ///
    /// # Errors
    /// As [`lexeme`](Self::lexeme), for the first string that has one; those before it are made.
    pub fn lexemes(&self, texts: &[&str]) -> Result<Vec<u32>, HookError> {
        let lexicon = self.lexicon();
        let words: Vec<Word> = texts.iter().map(|text| Word::new(text)).collect();
        Ok(self.settle(&[self.look_up(&words, &lexicon)], &lexicon, None)?.swap_remove(0))
    }

    /// The first half of [`lexemes`](Self::lexemes), which changes nothing: several threads can do it side by side,
    /// and one settles for all of them. `lexicon` is this vocabulary's.
    pub fn look_up<'x>(&self, words: &[Word<'x>], lexicon: &'x Lexicon) -> LookedUp<'x> {
        let known: Vec<Option<u32>> = {
            let table = self.table.read();
            words.iter().map(|word| table.find(word.orth, word.text)).collect()
        };
        let mut new = Vec::with_capacity(known.iter().filter(|index| index.is_none()).count());
        for (nth, word) in words.iter().enumerate().filter(|(nth, _)| known[*nth].is_none()) {
            let form = lexicon.forms_of(word.text, word.orth);
            new.push(NewWord { form, word: nth as u32, place: word.place, strings: 0 });
        }
        let strings = self.strings.read();
        for NewWord { form, strings: which, .. } in &mut new {
            *which = form.strings_where(|id| !strings.contains(id));
        }
        let indices = known.into_iter().map(Option::unwrap_or_default).collect();
        LookedUp { indices, new, losses: strings.losses() }
    }

    /// The second half of [`lexemes`](Self::lexemes): makes the lexemes that are not there yet, of all that was looked
    /// up, in the order of the texts. With a pool another thread keeps their strings meanwhile.
    ///
    /// # Errors
    /// As [`lexemes`](Self::lexemes).
    pub fn settle(
        &self,
        looked_up: &[LookedUp],
        lexicon: &Lexicon,
        pool: Option<&ThreadPool>,
    ) -> Result<Vec<Vec<u32>>, HookError> {
        let order = in_order(looked_up);
        let hook = self.hook.read().clone();
        if let Some(hook) = hook {
            return self.settle_adjusted(looked_up, &order, lexicon, &*hook);
        }
        let table = &mut *self.table.write();
        let keep = || self.keep_strings(looked_up, &order);
        Ok(match pool.filter(|_| order.len() > WORTH_A_THREAD) {
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn(|_| keep());
                table.number(looked_up, &order)
            }),
            None => {
                keep();
                table.number(looked_up, &order)
            }
        })
    }

    fn keep_strings(&self, looked_up: &[LookedUp], order: &[Turn]) {
        let mut strings = self.strings.write();
        let losses = strings.losses();
        strings.reserve(order.len());
        for turn in order {
            let found = &looked_up[turn.thread as usize];
            let NewWord { form, strings: new, .. } = &found.new[turn.nth as usize];
            // What was there may have gone since, with a memory zone or a load that failed.
            let all_if_lost = if losses == found.losses { 0 } else { EVERY_STRING };
            form.each_string(new | all_if_lost, |id, string| strings.add_transient(id, string));
        }
    }

    /// A hook may ask this vocabulary for anything, so its lexemes are made one by one.
    fn settle_adjusted(
        &self,
        looked_up: &[LookedUp],
        order: &[Turn],
        lexicon: &Lexicon,
        hook: &dyn LexemeHook,
    ) -> Result<Vec<Vec<u32>>, HookError> {
        let mut indices: Vec<Vec<u32>> = looked_up.iter().map(|found| found.indices.clone()).collect();
        for Turn { thread, nth } in order {
            let new = &looked_up[*thread as usize].new[*nth as usize];
            let (orth, text) = (new.form.lexeme().orth, new.form.text());
            let made = self.table.read().find(orth, text);
            indices[*thread as usize][new.word as usize] = match made {
                Some(index) => index,
                None => self.make_adjusted(text, lexicon, hook)?,
            };
        }
        Ok(indices)
    }

    /// Makes a lexeme with what a hook says of it, where another thread has not made it meanwhile.
    fn make_adjusted(&self, text: &str, lexicon: &Lexicon, hook: &dyn LexemeHook) -> Result<u32, HookError> {
        loop {
            let zone = self.zone();
            let form = lexicon.forms(text);
            // The hook finds the strings of the lexeme in the store.
            {
                let mut strings = self.strings.write();
                form.each_string(EVERY_STRING, |id, string| strings.add_transient(id, string));
            }
            let mut lexeme = *form.lexeme();
            hook.adjust(text, &mut lexeme, &self.strings)?;
            let mut table = self.table.write();
            // Another thread may have ended the zone that held the strings a hook has just added.
            if zone == self.zone() {
                return Ok(table.find_or_push(form.lexeme().orth, text, &lexeme));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_word_type_has_one_lexeme() {
        let lexicon = Lexicon { lang: "en".into(), ..Lexicon::default() };
        let vocab = Vocab::new(Arc::default(), lexicon);
        let index = vocab.lexeme("Apple").unwrap();
        assert_eq!(vocab.lexeme("Apple").unwrap(), index);
        let lexeme = vocab.lexeme_record(index).unwrap();
        let text = |id| vocab.strings().get(id).unwrap();
        let strings = [lexeme.lower, lexeme.prefix, lexeme.suffix, lexeme.shape, lexeme.lang].map(text);
        assert_eq!(strings, ["apple", "A", "ple", "Xxxxx", "en"]);
        assert_eq!(lexeme.length, 5);
    }
}
