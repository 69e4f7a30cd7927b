/// The quantity that a figure measures.
public enum FigureKind: String, Codable, Hashable, Sendable, CaseIterable {
    case loss, error, score, reward, lr, norm, speed, step, epoch, other

    /// `true` if the figure shows that a program trains or serves; a step, a learning rate or a time may
    /// appear in any log.
    var isEvidence: Bool {
        switch self {
        case .loss, .error, .score, .reward: true
        case .lr, .norm, .speed, .step, .epoch, .other: false
        }
    }

    /// `true` if a value that is not a number means trouble. Elsewhere it does not: a reward may not exist
    /// yet, a class may be missing.
    var mustBeFinite: Bool { self == .loss || self == .error }

    /// `true` if lower is better; nil if neither direction is better.
    public var isBetterLow: Bool? {
        switch self {
        case .loss, .error: true
        case .score, .reward: false
        case .lr, .norm, .speed, .step, .epoch, .other: nil
        }
    }
}

/// The data that a figure is about, as the log states it: the training itself, or an
/// evaluation on other data.
enum FigureRole: UInt8, Hashable, Sendable, CaseIterable {
    case none, train, val, valid, validation, eval, test

    var isEvaluation: Bool { self.rawValue > Self.train.rawValue }

    var word: String { "\(self)" }
}

/// The words that training programs use. A program that uses another word needs only a row here, no code.
enum FigureGrammar {
    enum Meaning: Equatable {
        case figure(FigureKind)
        /// Says how the figure beside it was formed: `mean`, `total`, `value`.
        case statistic
        /// Turns the words before it into a setting: `loss_weight`, `eval_steps`.
        case setting
        /// Never a figure of a training, on any line.
        case refused
    }

    /// Parts of names, in lower case: the text between spaces, `_`, `/`, `.`, `-`, `@` and humps. A number at
    /// the end of a part is ignored: `acc1`, `top5`, `mAP50`.
    private static let rows: [(Meaning, String)] = [
        (
            .figure(.loss),
            "loss losses nll xent logloss crossentropy elbo bpb bpc mloss tloss vloss avgloss trainloss"
        ),
        (.figure(.loss), "valloss testloss lossg lossd perte verlust deviance"),
        (
            .figure(.error),
            "mse mae rmse rmsle mape smape mpe err error wer cer ter per eer ppl perplexity fid lpips"
        ),
        (.figure(.error), "brier ece l1 l2 epe rmsd"),
        (
            .figure(.score),
            "acc accuracy accuracies top f1 fscore auc auroc auprc ap map miou iou dice dsc bleu rouge"
        ),
        (
            .figure(.score),
            "chrf meteor psnr ssim precision recall hmean kappa mcc r2 score scores ndcg mrr hit hits"
        ),
        (
            .figure(.score), "sensitivity specificity spearman pearson em exact_match jaccard cider spice"
        ),
        (.figure(.reward), "reward rewards return returns rew"),
        (.figure(.norm), "norm gnorm gradnorm"),
        (.figure(.speed), "throughput tps fps ips sps wps ups qps tgs mfu hfu tflops gflops speed"),
        (.figure(.other), "kl entropy objective advantage lrm"),
        (
            .statistic,
            "mean avg average ave median total sum value running smoothed current cur raw ema overall global"
        ),
        (
            .statistic,
            "foreground epoch step batch iter iteration macro micro weighted std stddev train training val"
        ),
        (
            .statistic, "valid validation eval evaluation test dev final last at region loader dataloader"
        ),
        (
            .setting,
            "weight weights scale threshold thr thresh thrs smoothing size coef coefficient coeff decay seed"
        ),
        (
            .setting,
            "every freq frequency interval steps epochs patience type warmup workers dim layers dropout limit"
        ),
        (
            .setting,
            "eps epsilon momentum clip bins factor gamma beta schedule scheduler name fn func function class"
        ),
        (.setting, "min max num count idx index id cap ratio reduction power multiplier"),
        (
            .setting,
            "sec secs second seconds ms time timing date length len elapsed runtime duration wall"
        ),
        (
            .refused,
            "pid port rank version line gib gb mb mib memory mem vram device devices gpu gpus cpu seconds ram"
        ),
        (
            .refused,
            "skipped nan inf world node host config year revision commit uid pp tp dp cp ep num v"
        ),
    ]

    /// The words for the x axis, with a rank for how well each serves as one. A batch count starts
    /// over in each epoch.
    private static let stepRows: [(rank: Int, String)] = [
        (
            5,
            "global_step globalstep gstep num_updates total_timesteps timesteps num_timesteps total_steps_done ts"
        ),
        (4, "step update updates train_step training_step it_step optimizer_step opt_step env_step"),
        (3, "iter iteration iterations it itr iters i"),
        (2, "trial round generation episode episodes"),
        (1, "batch minibatch mini_batch batch_idx micro_step"),
    ]

    private static let roleRows: [(FigureRole, String)] = [
        (.train, "train training tr trn learn train_inner fit 训练"),
        (.val, "val dev 验证"), (.valid, "valid"),
        (.validation, "validation validate validating"),
        (.eval, "eval evaluation evaluate evaluating evaluator"),
        (.test, "test testing tst holdout heldout 测试"),
    ]

    /// Words that may precede a step's or an epoch's word without changing its meaning.
    static let stepPrefixes = Set(
        ("completed current cur learning training train finished global end starting val valid validation eval "
            + "test 训练").split(separator: " ").map(String.init))

    /// Names whose value says which data a line is about: `"split": "valid"`, `phase=val`.
    static let splitWords: Set<String> = [
        "split", "mode", "phase", "stage", "subset", "partition", "_type", "set", "name",
    ]
    /// What may follow the role in such a value: `val_epoch`.
    static let splitEndings: Set<String> = ["epoch", "iter", "step", "set", "loop", "split"]

    static let epochWords: Set<String> = [
        "epoch", "ep", "current_epoch", "epoch_num", "epoch_idx", "epochs_done",
    ]

    static let timeLeftWords: Set<String> = [
        "eta", "remaining", "remaining time", "time left", "time remaining", "left", "time to finish",
        "eta time",
        "remain", "remain time", "estimated time remaining", "estimated time to finish",
        "estimated time left",
        "est left", "est remaining", "estimated remaining time", "estimated remaining", "time_left",
    ]

    static let learningRateNames: Set<String> = [
        "lr", "learning_rate", "learning rate", "current learning rate", "current lr",
        "learning rate (lr)",
        "learningrate", "learn rate", "learn_rate", "cur_lr", "current_lr", "train/learning_rate",
        "train/lr",
    ]

    /// A count of these, on a line with figures, is the training's progress.
    static let countWords: Set<String> = [
        "data", "progress", "samples", "examples", "sequences", "images", "images seen", "steps",
    ]

    /// Names of losses without a word that says so, as BasicSR and CycleGAN have them.
    static let lossNames: Set<String> = [
        "l_pix", "l_percep", "l_style", "l_total", "l_identity", "l_g_pix", "l_g_percep", "l_g_style",
        "l_g_gan",
        "l_g_total", "l_d", "l_d_real", "l_d_fake", "idt_a", "idt_b", "cycle_a", "cycle_b", "g_gan",
    ]

    /// The first cell of a table's row for the mean of all.
    static let meanWords: Set<String> = ["all", "mean", "avg", "average", "overall", "total", "macro"]

    /// Losses that YOLO's header names by their subject alone; two of them make it one.
    static let lossColumns: Set<String> = ["box", "obj", "cls", "dfl", "total"]

    /// Nouns before the slash of a speed: `842733 tok/s`. Bytes and examples of a data set do not count.
    static let speedNouns: Set<String> = [
        "tok", "toks", "token", "tokens", "word", "words", "sample", "samples", "img", "imgs", "image",
        "images",
        "step", "steps", "iter", "iters", "it", "its", "frame", "frames", "seq", "seqs", "sequence",
        "sequences",
        "episode", "episodes", "batch", "batches", "game", "games", "env_step", "env_steps", "update",
        "updates",
        "flop", "tflop", "tflops", "gflop", "example", "global_step", "speed",
    ]

    /// Words in a bar's label which show that the bar counts work on data or an evaluation, not the
    /// training's progress.
    static let otherBarWords: Set<String> = [
        "map", "fetching", "loading", "downloading", "download", "generating", "sanity", "validation",
        "validating",
        "valid", "val", "eval", "evaluating", "evaluation", "test", "testing", "tokenizing", "tokenize",
        "filter",
        "filtering", "saving", "save", "uploading", "upload", "extracting", "extract", "converting",
        "shards",
        "casting", "flattening", "grouping", "running", "preprocessing", "processing", "preparing",
        "collecting",
        "resolving", "receiving", "parsing", "reading", "computing", "caching", "predicting",
        "prediction",
        "predict",
        "sampling", "generate", "inference", "packing", "packed", "building", "writing", "files",
        "calibrating",
        "merging", "quantizing", "indexing", "scanning", "checking", "creating", "pushing",
    ]

    /// The units of a training bar's speed.
    static let barUnits: Set<String> = [
        "it/s", "steps/s", "step/s", "batch/s", "batches/s", "its/s", "iter/s", "iters/s", "s/it",
        "s/step",
        "s/batch",
        "epoch/s", "s/epoch", "ba/s", "s/ba",
    ]

    static let trainBarWords: Set<String> = [
        "train", "training", "epoch", "step", "steps", "iter", "iters", "finetuning", "batch", "batches",
        "iterations",
    ]

    /// Words after which the rest of the line is settings, of a trial or of the whole run.
    static let settingHeads: Set<String> = [
        "parameters", "params", "hparams", "hyperparameters", "hyperparams", "config", "configuration",
        "args",
        "arguments", "settings", "options", "flags",
    ]

    /// A line with one of these words reports what was kept; its figures were printed before.
    static let keptWords: Set<String> = [
        "saved", "saving", "save", "checkpoint", "checkpoints", "improved", "restored", "restoring",
        "yayy",
        "resuming",
        "resumed", "loaded", "early", "deselected",
    ]

    /// Together with one of the words or endings below, these report a saved checkpoint.
    static let saveWords: Set<String> = ["saved", "saving", "save"]
    static let snapshotWords: Set<String> = [
        "checkpoint", "checkpoints", "model", "weights", "snapshot", "ckpt", "state",
    ]
    static let weightEndings: Set<String> = [
        "pt", "pth", "ckpt", "safetensors", "bin", "npz", "h5", "keras", "pkl", "msgpack", "params",
        "caffemodel", "pdparams", "gguf", "tar",
    ]

    static let bestWords: Set<String> = ["best", "lowest", "highest", "record"]

    static let fileEndings: Set<String> = [
        "py", "cpp", "cc", "cu", "cuh", "hpp", "rs", "go", "js", "ts", "java", "swift", "kt", "scala",
        "rb",
        "lua",
        "jl", "ipynb", "sh", "yaml", "yml", "json", "jsonl", "csv", "tsv", "txt", "log", "pt", "pth",
        "ckpt",
        "safetensors", "bin", "npz", "npy", "h5", "hdf5", "onnx", "gz", "tar", "tgz", "zip", "md",
        "whl",
        "so", "o",
        "html", "png", "jpg", "parquet", "arrow", "pkl", "deb", "toml", "ini", "cfg", "conf", "lock",
        "cxx",
        "f90",
    ]

    static let meanings: [String: Meaning] = {
        var words: [String: Meaning] = [:]
        for (meaning, text) in Self.rows {
            for word in text.split(separator: " ") where words[String(word)] == nil {
                words[String(word)] = meaning
            }
        }
        return words
    }()

    static let steps: [String: Int] = {
        var words: [String: Int] = [:]
        for (rank, text) in Self.stepRows {
            for word in text.split(separator: " ") { words[String(word)] = rank }
        }
        return words
    }()

    static let roles: [String: FigureRole] = {
        var words: [String: FigureRole] = [:]
        for (role, text) in Self.roleRows {
            for word in text.split(separator: " ") { words[String(word)] = role }
        }
        return words
    }()
}
