//! The network that scores a state's actions, with all that depends on single tokens worked out beforehand.

use super::TransitionSystem;
use crate::aligned::Aligned;
use crate::gemm::{Matrix, Panels, product};
use crate::simd::Isa;
use crate::{KernelError, Threads};

/// The weights of spaCy's "precomputable affine" layer and of the output layer above it.
#[derive(Clone, Copy, Debug)]
pub struct NetworkParams<'a> {
    /// How many tokens a state shows (nF).
    pub n_features: usize,
    /// Hidden numbers of a state (nO), or actions where there is no upper layer.
    pub hidden: usize,
    /// Linear pieces of a hidden number (nP).
    pub pieces: usize,
    /// Numbers of a token (nI).
    pub width: usize,
    /// (nF, nO, nP, nI)
    pub weights: &'a [f32],
    /// (nO, nP)
    pub bias: &'a [f32],
    /// (nF, nO, nP): what stands for a token that is not there.
    pub padding: &'a [f32],
    /// (n_actions, nO) and (n_actions,)
    pub upper: Option<(&'a [f32], &'a [f32])>,
}

/// A network set up for the tokens of a batch.
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) n_features: usize,
    pub(super) hidden: usize,
    pub(super) pieces: usize,
    pub(super) width: usize,
    pub(super) n_actions: usize,
    pub(super) weights: Aligned,
    pub(super) bias: Vec<f32>,
    pub(super) upper: Option<Upper>,
    /// (n_tokens, width)
    pub(super) tokens: Aligned,
    /// (nF, nO, nP)
    pub(super) padding: Aligned,
    /// (n_tokens, nO, nP): what each token gives in the first place, where every token comes.
    pub(super) first_place: Aligned,
    /// The weights of the other places, where few tokens come: [`score`](Network::score) multiplies as they do.
    pub(super) other_places: Vec<Panels>,
    /// Whether negative hidden numbers become zero, where there is only one piece.
    pub(super) rectified: bool,
    pub(super) isa: Isa,
}

#[derive(Clone, Debug)]
pub(super) struct Upper {
    /// (n_actions, nO)
    pub weights: Aligned,
    /// The same by blocks of actions, (n_blocks, nO, LANES), zeros behind the last action: what scoring reads in order.
    pub blocks: Aligned,
    pub bias: Vec<f32>,
}

fn copied(numbers: &[f32]) -> Aligned {
    let mut copy = Aligned::any(numbers.len());
    copy.copy_from_slice(numbers);
    copy
}

/// Actions that are scored side by side: several vectors, so that one sum need not wait for another.
pub(super) const LANES: usize = 32;

impl Upper {
    fn new(weights: &[f32], bias: &[f32], hidden: usize) -> Upper {
        let n_blocks = bias.len().div_ceil(LANES);
        let mut blocks = Aligned::zeros(n_blocks * hidden * LANES);
        for (action, row) in weights.chunks_exact(hidden).enumerate() {
            let block = &mut blocks[action / LANES * hidden * LANES..];
            row.iter().enumerate().for_each(|(unit, &w)| block[unit * LANES + action % LANES] = w);
        }
        Upper { weights: copied(weights), blocks, bias: bias.to_vec() }
    }
}

impl NetworkParams<'_> {
    fn n_actions(&self) -> usize {
        self.upper.map_or(self.hidden, |(_, bias)| bias.len())
    }

    fn check(&self, tokens: &[f32]) -> Result<(), KernelError> {
        let outputs = self.n_features * self.hidden * self.pieces;
        KernelError::expect_len("transitions: the lower weights", outputs * self.width, self.weights.len())?;
        KernelError::expect_len("transitions: the lower bias", self.hidden * self.pieces, self.bias.len())?;
        KernelError::expect_len("transitions: the padding", outputs, self.padding.len())?;
        if let Some((weights, bias)) = self.upper {
            let expected = bias.len() * self.hidden;
            KernelError::expect_len("transitions: the upper weights", expected, weights.len())?;
        }
        for (what, size) in [
            ("transitions: the tokens that a state shows", self.n_features),
            ("transitions: the hidden width", self.hidden),
            ("transitions: the pieces", self.pieces),
            ("transitions: the width of a token", self.width),
            ("transitions: the number of outputs", self.n_actions()),
        ] {
            if size == 0 || size > u32::MAX as usize {
                return Err(KernelError::Value {
                    what,
                    expected: "1 or more".into(),
                    found: size.to_string(),
                });
            }
        }
        if self.pieces > 256 {
            return Err(KernelError::Value {
                what: "transitions: the pieces",
                expected: "256 or fewer".into(),
                found: self.pieces.to_string(),
            });
        }
        let n_tokens = tokens.len() / self.width;
        KernelError::expect_len("transitions: the token vectors", n_tokens * self.width, tokens.len())?;
        if n_tokens >= i32::MAX as usize {
            return Err(KernelError::Value {
                what: "transitions: the tokens of a batch",
                expected: format!("fewer than {}", i32::MAX),
                found: n_tokens.to_string(),
            });
        }
        Ok(())
    }
}

impl Network {
    /// Multiplies the tokens (n_tokens × width) with the weights of a state's first place.
    ///
    /// is_train: with one piece and an output layer, spaCy rectifies hidden numbers while training and not when
    /// predicting; without an output layer, never when predicting.
    ///
    /// # Errors
    /// [`KernelError::Shape`] or [`KernelError::Value`] if sizes do not fit together.
    pub fn new(
        isa: Isa,
        threads: Threads<'_>,
        params: &NetworkParams<'_>,
        tokens: &[f32],
        is_train: bool,
    ) -> Result<Network, KernelError> {
        params.check(tokens)?;
        let (n_tokens, size) = (tokens.len() / params.width, params.hidden * params.pieces);
        let mut places = params
            .weights
            .chunks_exact(size * params.width)
            .map(|weights| Matrix::new(weights, size, params.width).t());
        let mut first_place = Aligned::any(n_tokens * size);
        if let Some(weights) = places.next() {
            let tokens = Matrix::new(tokens, n_tokens, params.width);
            product(isa, threads, tokens, weights, &[], &mut first_place)?;
        }
        let other_places = places.map(|weights| weights.panels(isa)).collect();
        let n_actions = params.n_actions();
        let upper = params.upper.map(|(weights, bias)| Upper::new(weights, bias, params.hidden));
        Ok(Network {
            n_features: params.n_features,
            hidden: params.hidden,
            pieces: params.pieces,
            width: params.width,
            n_actions,
            weights: copied(params.weights),
            bias: params.bias.to_vec(),
            upper,
            tokens: copied(tokens),
            padding: copied(params.padding),
            first_place,
            other_places,
            rectified: is_train && params.pieces == 1,
            isa,
        })
    }

    /// How many tokens it is set up for.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.tokens.len() / self.width
    }

    /// How many actions it scores.
    #[must_use]
    pub fn n_actions(&self) -> usize {
        self.n_actions
    }

    /// Refuses a batch of another number of tokens.
    ///
    /// # Errors
    /// [`KernelError::Shape`]
    pub(super) fn check_batch(&self, n_tokens: usize) -> Result<(), KernelError> {
        KernelError::expect_len("transitions: the tokens of the batch", self.n_tokens(), n_tokens)
    }

    /// Refuses a batch of another number of tokens, and a system whose states do not show as many tokens as it looks at.
    ///
    /// # Errors
    /// [`KernelError::Shape`] and [`KernelError::Value`]
    pub fn check<T: TransitionSystem>(&self, system: &T) -> Result<(), KernelError> {
        self.check_batch(system.n_tokens())?;
        if system.n_shown().contains(&self.n_features) {
            return Ok(());
        }
        let known: Vec<String> = system.n_shown().iter().map(usize::to_string).collect();
        Err(KernelError::Value {
            what: "transitions: the tokens that a state shows",
            expected: known.join(" or "),
            found: self.n_features.to_string(),
        })
    }
}
