// SPDX-License-Identifier: Apache-2.0
//! What is not a node for the core is refused with a sentence, before anything runs.

use crate::model::{Model, Values};
use crate::plan::Plan;
use crate::proto::{AttributeProto, GraphProto, NodeProto, ValueInfoProto, attribute};
use crate::tensor::{Elements, Tensor};
use half::f16;
use std::path::Path;

fn int8(shape: &[usize]) -> Tensor {
    Tensor { shape: shape.to_vec(), elements: Elements::Int8(vec![1; shape.iter().product()]) }
}

fn uint8(shape: &[usize]) -> Tensor {
    Tensor { shape: shape.to_vec(), elements: Elements::Uint8(vec![1; shape.iter().product()]) }
}

fn int32(shape: &[usize]) -> Tensor {
    Tensor { shape: shape.to_vec(), elements: Elements::Int32(vec![1; shape.iter().product()]) }
}

fn float(shape: &[usize], value: f32) -> Tensor {
    Tensor { shape: shape.to_vec(), elements: Elements::Float32(vec![value; shape.iter().product()]) }
}

fn half(shape: &[usize]) -> Tensor {
    Tensor { shape: shape.to_vec(), elements: Elements::Float16(vec![f16::ONE; shape.iter().product()]) }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: values.to_vec(), r#type: attribute::INTS, ..AttributeProto::default() }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, r#type: attribute::INT, ..AttributeProto::default() }
}

fn text(name: &str, s: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: s.into(), r#type: attribute::STRING, ..AttributeProto::default() }
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn graph(nodes: Vec<NodeProto>) -> GraphProto {
    GraphProto { node: nodes, output: vec![ValueInfoProto { name: "y".into() }], ..GraphProto::default() }
}

/// The plan of an operator with these inputs, or why there is none.
fn plan(op: &str, inputs: &[Option<Tensor>], attributes: Vec<AttributeProto>) -> Result<Plan, String> {
    let names: Vec<String> = (0..inputs.len()).map(|index| format!("i{index}")).collect();
    let given = |(name, tensor): (&String, &Option<Tensor>)| Some((name.clone(), tensor.clone()?));
    let values: Values = names.iter().zip(inputs).filter_map(given).collect();
    let words: Vec<&str> =
        names.iter().zip(inputs).map(|(name, tensor)| if tensor.is_some() { name } else { "" }).collect();
    let graph = graph(vec![NodeProto { attribute: attributes, ..node(op, &words, "y") }]);
    let model = Model::from_proto(graph).map_err(|error| error.to_string())?;
    Plan::new(&model, &values).map_err(|error| error.to_string())
}

fn refuses(op: &str, inputs: &[Tensor], attributes: Vec<AttributeProto>, wanted: &str) {
    let inputs: Vec<Option<Tensor>> = inputs.iter().cloned().map(Some).collect();
    let error = plan(op, &inputs, attributes).expect_err(wanted);
    assert!(error.contains(wanted) && !error.contains('\n'), "{error}");
}

#[test]
fn models_that_are_not_a_node_are_refused() {
    let product = || node("MatMulInteger", &["a", "b"], "y");
    let inner = || node("MatMulInteger", &["a", "b"], "z");
    let foreign = NodeProto { domain: "com.microsoft".into(), ..product() };
    let two = NodeProto { output: vec!["y".into(), "z".into()], ..product() };
    for (nodes, wanted) in [
        (vec![], "it has 0 nodes"),
        (vec![inner(), inner(), product()], "it has 3 nodes"),
        (vec![node("Gemm", &["a", "b"], "y")], "its operator is Gemm, and only these"),
        (vec![foreign], "its operator is com.microsoft.MatMulInteger"),
        (vec![two], "it has 2 outputs"),
        (vec![inner(), node("Sigmoid", &["z"], "y")], "its second node is Sigmoid"),
        (vec![inner(), node("Relu", &["a"], "y")], "only Relu or Clip of the first one's result"),
        (vec![inner()], "its output y is not what its last node computes, z"),
    ] {
        let error = Model::from_proto(graph(nodes)).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let no_output = GraphProto { output: vec![], ..graph(vec![product()]) };
    assert!(Model::from_proto(no_output).expect_err("no output").to_string().contains("it has 0 outputs"));
}

#[test]
fn products_that_cannot_be_are_refused() {
    let (a, b) = (int8(&[2, 3]), uint8(&[3, 4]));
    let op = "MatMulInteger";
    refuses(op, std::slice::from_ref(&a), vec![], "its input B is left out");
    refuses(op, &[a.clone(), uint8(&[2, 4])], vec![], "the columns of the first must be the rows of the second");
    refuses(op, &[a.clone(), int8(&[])], vec![], "neither can be a scalar");
    refuses(op, &[a.clone(), int32(&[3, 4])], vec![], "B is int32, and it must be int8 or uint8");
    refuses(op, &[int8(&[2, 0]), uint8(&[0, 4])], vec![], "there is nothing to compute");
    refuses(op, &[int8(&[5, 2, 3]), uint8(&[4, 3, 4])], vec![], "cannot be broadcast");
    refuses(op, &[int8(&[1 << 15, 1]), int8(&[1, 1 << 15])], vec![], "at most 268435456 are possible");
    refuses(op, &[a.clone(), b.clone(), uint8(&[])], vec![], "a_zero_point is uint8, and it must be int8");
    refuses(
        op,
        &[a.clone(), b.clone(), int8(&[3])],
        vec![],
        "a_zero_point has the shape [3], and it must be one number, [2]",
    );
    refuses(op, &[a.clone(), b.clone(), int8(&[]), uint8(&[4, 1])], vec![], "b_zero_point has the shape [4, 1]");
    refuses(op, &[a.clone(), b.clone(), int8(&[2, 2, 1])], vec![], "with the stack []");
    refuses(op, &[a.clone(), b.clone()], vec![int("transA", 1)], "it has the attribute transA, which is not known");
    let five = [a.clone(), b.clone(), int8(&[]), uint8(&[]), int8(&[])];
    refuses(op, &five, vec![], "it has 5 inputs, and at most 4");
}

#[test]
fn quantised_products_that_cannot_be_are_refused() {
    let one = float(&[], 1.0);
    let inputs = [int8(&[2, 3]), one.clone(), int8(&[]), int8(&[3, 2]), one.clone(), int8(&[]), one.clone(), int8(&[])];
    let with = |index: usize, tensor: Tensor| {
        let mut changed = inputs.to_vec();
        changed[index] = tensor;
        changed
    };
    let op = "QLinearMatMul";
    let all: Vec<Option<Tensor>> = inputs.iter().cloned().map(Some).collect();
    assert!(plan(op, &all, vec![]).is_ok());
    refuses(op, &inputs[..7], vec![], "its input y_zero_point is left out");
    refuses(op, &with(1, int32(&[])), vec![], "a_scale is int32, and it must be float32, float16, bfloat16");
    refuses(op, &with(4, half(&[])), vec![], "b_scale is float16, and it must be float32");
    refuses(op, &with(6, float(&[2], 1.0)), vec![], "y_scale has the shape [2], and it must be one number, [.., 2, 1]");
    refuses(op, &with(7, int32(&[])), vec![], "y_zero_point is int32, and it must be int8 or uint8");
    refuses(op, &with(6, float(&[], 0.0)), vec![], "must be finite, positive and normal");
    refuses(op, &with(1, float(&[2], -1.0)), vec![], "must be finite, positive and normal");
}

#[test]
fn convolutions_that_cannot_be_are_refused() {
    let (x, w) = (uint8(&[1, 2, 5, 6]), int8(&[4, 2, 3, 3]));
    let op = "ConvInteger";
    let case = |attributes, wanted: &str| refuses(op, &[x.clone(), w.clone()], attributes, wanted);
    case(vec![int("group", 2)], "the channels of x must be those of w times the groups");
    case(vec![int("group", 0)], "the channels of x must be those of w times the groups");
    case(vec![int("group", -1)], "its attribute group holds -1, which is below 0");
    case(vec![ints("strides", &[1])], "its attribute strides has 1 numbers, and it must have 2");
    case(vec![ints("strides", &[0, 1])], "the stride in y of a convolution is 0");
    case(vec![ints("strides", &[1, 256])], "the stride in x is 256, and at most 255 is possible");
    case(vec![ints("dilations", &[9, 1])], "the kernel reaches over 19 in y");
    case(vec![ints("pads", &[1, 1])], "its attribute pads has 2 numbers, and it must have 4");
    case(vec![ints("pads", &[0, -1, 0, 0])], "its attribute pads holds -1");
    case(vec![ints("pads", &[1 << 40; 4])], "the padding above is 1099511627776");
    case(vec![ints("kernel_shape", &[3, 2])], "its attribute kernel_shape is not that of w, [3, 3]");
    case(vec![text("auto_pad", "SAME")], "its attribute auto_pad is SAME");
    case(vec![text("auto_pad", "VALID"), ints("pads", &[0; 4])], "exclude each other");
    case(vec![text("strides", "1")], "its attribute strides is not a list of integers");
    case(vec![ints("output_padding", &[0; 2])], "output_padding, which is not known");
    refuses(op, &[uint8(&[1, 2, 5, 6, 7]), int8(&[4, 2, 3, 3, 3])], vec![], "one or two spatial axes are possible");
    refuses(op, &[uint8(&[1, 2, 5]), w.clone()], vec![], "the same number of dimensions");
    refuses(
        op,
        &[x.clone(), w.clone(), uint8(&[2])],
        vec![],
        "x_zero_point has the shape [2], and it must be one number",
    );
    refuses(op, &[x.clone(), w.clone(), uint8(&[]), int8(&[3])], vec![], "[4], one per output channel");
    refuses(op, &[uint8(&[1, 2, 0, 6]), w.clone()], vec![], "h of a convolution is 0");
}

#[test]
fn quantised_convolutions_that_cannot_be_are_refused() {
    let one = float(&[], 1.0);
    let inputs = [
        uint8(&[1, 1, 4, 4]),
        one.clone(),
        uint8(&[]),
        int8(&[2, 1, 2, 2]),
        one.clone(),
        int8(&[]),
        one.clone(),
        int8(&[]),
        int32(&[2]),
    ]; // x, w, y, each with scale and zero point; B
    let with = |index: usize, tensor: Tensor| {
        let mut changed = inputs.to_vec();
        changed[index] = tensor;
        changed
    };
    let op = "QLinearConv";
    let all: Vec<Option<Tensor>> = inputs.iter().cloned().map(Some).collect();
    assert!(plan(op, &all, vec![]).is_ok());
    refuses(op, &with(1, half(&[])), vec![], "x_scale is float16, and it must be float32");
    refuses(op, &with(1, float(&[2], 1.0)), vec![], "x_scale has the shape [2]");
    refuses(op, &with(4, float(&[3], 1.0)), vec![], "w_scale has the shape [3], and it must be one number or [2]");
    refuses(op, &with(8, int32(&[1])), vec![], "B is [1] int32, and it must be [2] int32");
    refuses(op, &with(8, int8(&[2])), vec![], "B is [2] int8");
}

#[test]
fn maxima_that_cannot_be_are_refused() {
    let refuses = |x: Tensor, attributes: Vec<AttributeProto>, wanted: &str| {
        let pool = NodeProto { attribute: attributes, ..node("MaxPool", &["x"], "y") };
        let model = Model::from_proto(graph(vec![pool])).expect("an operator");
        let error = Plan::new(&model, &[("x".to_owned(), x)].into()).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    };
    let (x, kernel) = (|| uint8(&[1, 2, 5, 6]), || ints("kernel_shape", &[3, 3]));
    refuses(x(), vec![], "its attribute kernel_shape must be there and have 2 numbers");
    refuses(x(), vec![kernel(), int("group", 2)], "group, which is not known");
    refuses(x(), vec![kernel(), int("ceil_mode", 1)], "its attribute ceil_mode is set");
    refuses(x(), vec![kernel(), ints("pads", &[0, 3, 0, 0])], "a window lies in the padding alone");
    refuses(float(&[1, 2, 5, 6], 1.0), vec![kernel()], "X is float32, and it must be int8 or uint8");
}

#[test]
fn averages_that_cannot_be_are_refused() {
    let one = float(&[], 1.0);
    let inputs = [uint8(&[1, 2, 5, 6]), one.clone(), uint8(&[]), one, uint8(&[])];
    let average = |inputs: &[Tensor], attributes: Vec<AttributeProto>, wanted: &str| {
        let names = ["x", "sx", "zx", "sy", "zy"];
        let pool = NodeProto {
            domain: "com.microsoft".into(),
            attribute: attributes,
            ..node("QLinearAveragePool", &names[..inputs.len()], "y")
        };
        let model = Model::from_proto(graph(vec![pool])).expect("an operator");
        let values = names.iter().zip(inputs).map(|(name, tensor)| ((*name).to_owned(), tensor.clone())).collect();
        let error = Plan::new(&model, &values).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    };
    let kernel = || ints("kernel_shape", &[3, 3]);
    average(&inputs, vec![], "its attribute kernel_shape must be there and have 2 numbers");
    average(&inputs, vec![ints("kernel_shape", &[3])], "its attribute kernel_shape must be there and have 2 numbers");
    average(&inputs, vec![ints("kernel_shape", &[7, 3])], "the kernel reaches over 7 in y");
    average(&inputs, vec![kernel(), int("ceil_mode", 1)], "its attribute ceil_mode is set");
    average(&inputs, vec![kernel(), ints("dilations", &[1, 1])], "dilations, which is not known");
    average(&inputs, vec![kernel(), ints("pads", &[3, 0, 0, 0])], "a window lies in the padding alone");
    average(&inputs[..4], vec![kernel()], "its input y_zero_point is left out");
    let mut changed = inputs.to_vec();
    changed[4] = int8(&[]);
    average(&changed, vec![kernel()], "y_zero_point is int8, and it must be uint8");
    changed[0] = uint8(&[1, 0, 5, 6]);
    average(&changed, vec![kernel()], "there is nothing to compute");
}

#[test]
fn bounds_that_cannot_be_are_refused() {
    let bounded = |second: NodeProto, zero: Tensor, bound: Tensor| {
        let first = node("QLinearMatMul", &["a", "s", "za", "b", "s", "za", "s", "zy"], "z");
        let model = Model::from_proto(graph(vec![first, second])).map_err(|error| error.to_string())?;
        let values = [
            ("a", int8(&[2, 2])),
            ("b", int8(&[2, 2])),
            ("s", float(&[], 1.0)),
            ("za", int8(&[])),
            ("zy", zero),
            ("low", bound),
        ];
        let values = values.map(|(name, tensor)| (name.to_owned(), tensor));
        Plan::new(&model, &values.into_iter().collect()).map_err(|error| error.to_string())
    };
    let relu = || node("Relu", &["z"], "y");
    let clip = || node("Clip", &["z", "low"], "y");
    assert!(bounded(relu(), int8(&[]), int8(&[])).is_ok());
    assert!(bounded(clip(), uint8(&[]), uint8(&[])).is_ok());
    for (second, zero, bound, wanted) in [
        (relu(), uint8(&[]), int8(&[]), "Relu: it takes no uint8"),
        (clip(), uint8(&[]), int8(&[]), "min is [] int8, and it must be one uint8 number"),
        (clip(), int8(&[]), int8(&[2]), "min is [2] int8, and it must be one int8 number"),
        (node("Clip", &["z", "absent"], "y"), int8(&[]), int8(&[]), "nothing gives its input min"),
    ] {
        let error = bounded(second, zero, bound).expect_err(wanted);
        assert!(error.contains(wanted), "{error}");
    }
}

/// Bits of a model and of an input, turned, and both cut short: a sentence, or a node that can be compiled, and never a panic.
#[test]
fn broken_files_do_not_break_the_reader() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/qlinearconv");
    let folder = std::env::temp_dir().join(format!("quader-onnx-broken-{}", std::process::id()));
    let data = folder.join("test_data_set_0");
    std::fs::create_dir_all(&data).expect("the temporary folder is writable");
    let files = ["input_0.pb", "input_1.pb", "input_2.pb", "input_3.pb", "output_0.pb"];
    let mut names = vec!["model.onnx".to_owned()];
    names.extend(files.map(|name| format!("test_data_set_0/{name}")));
    let read = |name: &String| std::fs::read(example.join(name)).expect("it is in the tree");
    for name in &names {
        std::fs::write(folder.join(name), read(name)).expect("the temporary folder is writable");
    }
    let compiled = || {
        let test = crate::NodeTest::read(&folder)?;
        let plan = Plan::new(&test.model, &test.sets[0].inputs)?;
        plan.compile(&isa::Config::tiny()).map(|compiled| compiled.estimate())
    };
    assert!(compiled().expect("it is whole") > 0);
    let (mut refused, mut total) = (0, 0);
    for name in &names[..2] {
        let whole = read(name);
        for bit in (0..whole.len() * 8).step_by(13) {
            let mut broken = whole.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(folder.join(name), broken).expect("the temporary folder is writable");
            refused += usize::from(compiled().is_err());
            total += 1;
        }
        for length in (0..whole.len()).step_by(7) {
            std::fs::write(folder.join(name), &whole[..length]).expect("the temporary folder is writable");
            refused += usize::from(compiled().is_err());
            total += 1;
        }
        std::fs::write(folder.join(name), whole).expect("the temporary folder is writable");
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(refused > total / 4 && refused < total, "{refused} of {total} were refused");
}
